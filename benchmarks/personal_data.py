"""How well personal data is found, beside other tools: recall and precision by kind on the labelled sentences.

    python benchmarks/personal_data.py

Tools that are not installed are left out: pip install presidio-analyzer phonenumbers detect-secrets. Each is asked in
the way that suits it best without a model that it would have to download.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kura_dagster.pipeline.privacy.personal_data import KINDS, MASK, find_personal_data
from kura_dagster.pipeline.privacy.redaction import Redaction
from kura_dagster.sample.generator import generate_conversations
from kura_dagster_tests.labelled_sentences import Piece, held_out, pieces_of, score

Find = Callable[[str], Iterable[Piece]]
_REGIONS = ("US", "DE", "ES", "GB")


def ours(text: str) -> list[Piece]:
    """What redaction replaces."""
    return pieces_of(text, find_personal_data([text]).mask(text), MASK)


def _phonenumbers() -> Iterator[tuple[str, str, Find]]:
    import phonenumbers

    def find(text: str) -> Iterator[Piece]:
        for region in _REGIONS:
            for match in phonenumbers.PhoneNumberMatcher(text, region):
                yield Piece(match.start, match.end, "phone")

    yield "phonenumbers' matcher", "phone", find


def _presidio() -> Iterator[tuple[str, str, Find]]:
    from presidio_analyzer import predefined_recognizers as known

    logging.disable(logging.WARNING)
    recognisers = {
        "email": known.EmailRecognizer(),
        "phone": known.PhoneRecognizer(supported_regions=_REGIONS),
        "card": known.CreditCardRecognizer(),
        "iban": known.IbanRecognizer(),
        "ip": known.IpRecognizer(),
    }
    for kind, recogniser in recognisers.items():

        def find(text: str, kind: str = kind, recogniser: known.EmailRecognizer = recogniser) -> Iterator[Piece]:
            for result in recogniser.analyze(text, recogniser.supported_entities, None) or ():
                yield Piece(result.start, result.end, kind)

        yield f"presidio's {type(recogniser).__name__}", kind, find


def _detect_secrets() -> Iterator[tuple[str, str, Find]]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins = [
        plugin()
        for plugin in get_mapping_from_secret_type_to_class().values()
        if "Entropy" not in plugin.__name__ and "IPPublic" not in plugin.__name__
    ]
    for kind in ("secret", "password"):

        def find(text: str, kind: str = kind) -> Iterator[Piece]:
            for plugin in plugins:
                for found in plugin.analyze_line(filename="a.txt", line=text, line_number=1):
                    place = text.find(found.secret_value or "\0")
                    if place >= 0:
                        yield Piece(place, place + len(found.secret_value), kind)

        yield "detect-secrets", kind, find


def main() -> None:
    """Print the figures of everything that is installed."""
    sample = [each.conversation for each in generate_conversations()]
    begin = time.process_time()
    Redaction().redact_all(sample)
    seconds = (time.process_time() - begin) / len(sample) * 1_000
    print(f"{len(held_out())} sentences; 1,000 conversations of the sample are redacted in {seconds:.2f} s\n")
    print(f"{'':32} {'kind':10} recall  precision")
    everything = score(ours, held_out())
    for kind in KINDS:
        print(f"{'kura_dagster':32} {kind:10} {everything.recall(kind):6.2f}  {everything.precision(kind):9.2f}")
    for tool in (_phonenumbers, _presidio, _detect_secrets):
        try:
            for name, kind, find in tool():
                result = score(find, held_out())
                print(f"{name:32} {kind:10} {result.recall(kind):6.2f}  {result.precision(kind):9.2f}")
        except ImportError as error:
            print(f"{tool.__name__.strip('_')}: {error}")


if __name__ == "__main__":
    main()
