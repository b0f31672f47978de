"""`kura-dagster alert`: whether alerts arrive."""

from __future__ import annotations

from kura_dagster.cli import screen
from kura_dagster.cli.app import Command, app, examples
from kura_dagster.cli.screen import errors_explained, fail, print_lines
from kura_dagster.settings import Settings, SettingsError


@app.command(cls=Command, epilog=examples("alert"))
def alert() -> None:
    """Post a test alert to KURA_ALERT_WEBHOOK, to see that alerts arrive.

    Those of failed runs and checks and of missing days are posted by sensors of Dagster's daemon: `make dev` runs it.
    """
    from kura_dagster.orchestration.alert_message import trial
    from kura_dagster.orchestration.webhook import DeliveryError, deliver, host_of

    with errors_explained():
        settings = Settings.load()
        if settings.alert_webhook is None:
            raise SettingsError("KURA_ALERT_WEBHOOK is unset; set it to the URL of an incoming webhook")
        host = host_of(settings.alert_webhook)
        try:
            with screen.errors.status(f"posting to {host}"):
                deliver(settings.alert_webhook, trial(settings.ui_url))
        except DeliveryError as error:
            fail(str(error))
        print_lines([f"{host} has taken a test alert; see that it is shown there."])
