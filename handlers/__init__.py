"""What happens when somebody speaks or the clock strikes; knows no platform. Nothing registers itself: the lists stand here."""

from handlers import casework, chase, digest, helping, joining, keeping, ledger, looking, oversight, raising
from handlers.jobs import Job
from handlers.router import Router

ROUTER = Router(
    {
        **raising.COMMANDS,
        **casework.COMMANDS,
        **oversight.COMMANDS,
        **looking.COMMANDS,
        **joining.COMMANDS,
        **digest.COMMANDS,
        **ledger.COMMANDS,
        **helping.COMMANDS,
    },
    kept=keeping.keep,
)
JOBS: tuple[Job, ...] = (*chase.JOBS, *digest.JOBS)
