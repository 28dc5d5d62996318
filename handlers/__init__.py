"""What happens when somebody speaks or the clock strikes; knows no platform. The lists stand here."""

from handlers import (
    audit,
    calendars,
    casework,
    chase,
    dates,
    digest,
    duty,
    forwarding,
    handover,
    helping,
    joining,
    keeping,
    ledger,
    looking,
    orders,
    oversight,
    policies,
    raising,
    recounts,
    releasing,
    rota,
    shares,
    undelivered,
    wishes,
)
from handlers.jobs import Job
from handlers.router import Router

ROUTER = Router(
    {
        **raising.COMMANDS,
        **casework.COMMANDS,
        **oversight.COMMANDS,
        **wishes.COMMANDS,
        **dates.COMMANDS,
        **shares.COMMANDS,
        **forwarding.COMMANDS,
        **orders.COMMANDS,
        **releasing.COMMANDS,
        **looking.COMMANDS,
        **joining.COMMANDS,
        **duty.COMMANDS,
        **rota.COMMANDS,
        **handover.COMMANDS,
        **policies.COMMANDS,
        **digest.COMMANDS,
        **calendars.COMMANDS,
        **ledger.COMMANDS,
        **undelivered.COMMANDS,
        **helping.COMMANDS,
    },
    kept=keeping.keep,
)
JOBS: tuple[Job, ...] = (*chase.JOBS, *digest.JOBS, *policies.JOBS, *duty.JOBS, *audit.JOBS)
AT_START = recounts.AT_START
sealer = audit.sealer
