"""How the platform says no: a status, a description, and now and then a parameter."""

from typing import Any


class Refused(Exception):
    """An answer other than ok; `description` is what the platform prints, prefix included."""

    def __init__(self, status: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """The JSON the client reads."""
        answer: dict[str, Any] = {"ok": False, "error_code": self.status, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return answer


def bad(text: str, **parameters: Any) -> Refused:
    """400, with the prefix the platform puts before the reason."""
    return Refused(400, f"Bad Request: {text}", parameters or None)


def forbidden(text: str) -> Refused:
    """403: the bot may not speak here."""
    return Refused(403, f"Forbidden: {text}")


def conflict(text: str) -> Refused:
    """409: two receivers of updates stand in each other's way."""
    return Refused(409, f"Conflict: {text}")


def too_many(seconds: int) -> Refused:
    """429: flood control; `seconds` is how long to keep quiet."""
    return Refused(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


NOT_FOUND = "Not Found"
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
TWO_POLLS = "terminated by other getUpdates request; make sure that only one bot instance is running"
POLL_WITH_WEBHOOK = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
