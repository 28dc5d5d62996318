"""What happens when somebody speaks or the clock strikes; knows no platform. The lists stand here."""

from handlers import (
    casework,
    chase,
    dates,
    digest,
    forwarding,
    helping,
    joining,
    keeping,
    ledger,
    looking,
    orders,
    oversight,
    policies,
    raising,
    releasing,
    shares,
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
        **policies.COMMANDS,
        **digest.COMMANDS,
        **ledger.COMMANDS,
        **helping.COMMANDS,
    },
    kept=keeping.keep,
)
JOBS: tuple[Job, ...] = (*chase.JOBS, *digest.JOBS, *policies.JOBS)
