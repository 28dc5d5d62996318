"""Everything that can be said to lianqi or done to an appeal, by one English name each."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """The commands, the steps of the life cycle and the buttons; their words stand in texts/commands.toml."""

    # A firm raises a matter.
    APPEAL = "appeal"
    INQUIRE = "inquire"
    COMPLAIN = "complain"
    SUGGEST = "suggest"

    # A firm follows its matter up.
    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"
    URGE = "urge"
    URGENT = "urgent"
    HUMAN = "human"
    ME_TOO = "me_too"
    FOLLOW = "follow"

    # A firm judges what was done.
    SATISFIED = "satisfied"
    FAIRLY_SATISFIED = "fairly_satisfied"
    DISSATISFIED = "dissatisfied"
    SOLVED = "solved"
    PARTLY_SOLVED = "partly_solved"
    UNSOLVED = "unsolved"
    AGREE = "agree"
    DISAGREE = "disagree"
    OBJECT = "object"

    # A firm says in confidence that it was obstructed; sealed, for the inspector only.
    REFUSED = "refused"
    MADE_DIFFICULT = "made_difficult"
    SAID_IMPOSSIBLE = "said_impossible"

    # Anybody concerned looks something up.
    MINE = "mine"
    TODO = "todo"
    STATUS = "status"
    TRACE = "trace"

    # The handler works on a matter.
    ACKNOWLEDGE = "acknowledge"
    CONTACTED = "contacted"
    RETURN = "return"
    PROGRESS = "progress"
    NOTE = "note"
    RESOLVE = "resolve"
    EXPLAIN = "explain"
    INSTANT = "instant"
    LONG_TERM = "long_term"
    MILESTONE = "milestone"
    DIFFICULTY = "difficulty"
    REFER = "refer"

    BEYOND = "beyond"
    HARD_DATE = "hard_date"

    # A unit that works on a part of it; said with the handler's own words.
    PART_ACKNOWLEDGE = "part_acknowledge"
    PART_PROGRESS = "part_progress"
    PART_DONE = "part_done"
    PART_RETURN = "part_return"
    MILESTONE_DONE = "milestone_done"

    # The handler asks, the coordinator decides.
    REQUEST = "request"
    ASSIST = "assist"
    TRANSFER = "transfer"
    EXTEND = "extend"
    SUSPEND = "suspend"
    RESUME = "resume"

    # Liaison and coordinator file for a firm that phoned or was visited.
    RECORD = "record"

    # The coordinator steers; SUPERVISE and INSTRUCT are the chief's too.
    RELEASE = "release"
    DISPATCH = "dispatch"
    RULE = "rule"
    APPROVE = "approve"
    DENY = "deny"
    DECLINE = "decline"
    MERGE = "merge"
    UNMERGE = "unmerge"
    RECATEGORISE = "recategorise"
    SUPERVISE = "supervise"
    INSTRUCT = "instruct"
    FOLLOW_UP = "follow_up"
    WAIVE = "waive"
    PROXY = "proxy"
    SLIP = "slip"
    STAND_IN = "stand_in"
    DUTY = "duty"
    HAND_OVER = "hand_over"
    CLOSURE = "closure"

    # Rare steps of the life cycle: the inspector's decisions.
    REWORK = "rework"
    CLOSE_DISPUTED = "close_disputed"

    # Policies, reports, meetings and money.
    POLICY = "policy"
    PUBLISH = "publish"
    DIGEST = "digest"
    MONTHLY = "monthly"
    LEDGER = "ledger"
    FIGURES = "figures"
    REPEATS = "repeats"
    UNLINKED = "unlinked"
    UNDELIVERED = "undelivered"
    MEETING = "meeting"
    VISIT = "visit"
    FINANCE = "finance"
    CLAIM = "claim"

    # A person looks after himself.
    BIND = "bind"
    LEAVE = "leave"
    CONSOLE = "console"
    LANGUAGE = "language"
    HELP = "help"
    CANCEL = "cancel"
    UNDO = "undo"
    TAKE_BACK = "take_back"

    # Another calendar moves dates by itself.
    RECOUNT = "recount"

    # Mostly pressed as buttons; each can be typed as well.
    FILE = "file"
    CONFIRM = "confirm"
    READ = "read"
    KNOWN = "known"
    UNCLEAR = "unclear"
    OUT_OF_REACH = "out_of_reach"
    WANT = "want"
    ORIGINAL = "original"
    RESEND = "resend"
    APPROVE_GROUP = "approve_group"
    CONFIRM_BINDING = "confirm_binding"
    PICK = "pick"


INTAKE = frozenset({Verb.APPEAL, Verb.INQUIRE, Verb.COMPLAIN, Verb.SUGGEST})
"""The verbs that raise a new matter: all that follows them is its text."""

CONFIDENCES = frozenset({Verb.REFUSED, Verb.MADE_DIFFICULT, Verb.SAID_IMPOSSIBLE})
"""不给办 / 很难办 / 办不了: sealed at once."""
