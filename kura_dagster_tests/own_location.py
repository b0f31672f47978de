"""A user's own code location: the project's assets with the user's models, and sensors that a test can wait for."""

import asyncio

from kura_dagster.orchestration import alerts, sensors
from kura_dagster.orchestration.build import build_defs
from kura_dagster_tests.own_models import OpeningTurns, own_models

FAILS, STALLS = "fail please, <!channel>", "stall please"


class OpeningTurnsOrTrouble(OpeningTurns):
    """Does what a conversation asks for, where it asks for trouble."""

    async def summarise(self, conversations, *arguments, **options):
        openings = [each.messages[0].content for each in conversations]
        if FAILS in openings:
            raise RuntimeError(f"can't summarise {openings}")
        if STALLS in openings:
            await asyncio.sleep(600)
        return await super().summarise(conversations, *arguments, **options)


sensors.SECONDS_BETWEEN_LOOKS = alerts.SECONDS_BETWEEN_LOOKS = alerts.SECONDS_BETWEEN_CHECKS = 1
defs = build_defs(**own_models(summary_model=OpeningTurnsOrTrouble()))
