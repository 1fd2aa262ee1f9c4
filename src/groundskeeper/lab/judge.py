"""Plays one fault and judges it from the client's chair. Nothing the product says enters into the judgement."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from groundskeeper.lab.errors import LabError
from groundskeeper.lab.faults.fault import Fault, Witness
from groundskeeper.lab.felt import Sample, Samples, Service, Span, is_well, total, unwell
from groundskeeper.lab.lab import Lab
from groundskeeper.lab.namespaces import enter

LATEST_ANSWER = 0.15  # s; by then the chair has written down every use that was begun before
LOOK = 0.02


class Patience(msgspec.Struct, frozen=True):
    """How long a fault is watched before the person on the phone puts an end to it, in seconds.

    `settled_for`: the client must have been well this long for it to count as settled; None watches to the limit
    anyway. `unfelt_for`: so long without any impact, and the fault counts as settled before it was felt.
    """

    limit: float
    settled_for: float | None = None
    unfelt_for: float = 2.0


UNAIDED = Patience(limit=3.0)
AIDED = Patience(limit=10.0, settled_for=1.0)


class Felt(msgspec.Struct, frozen=True):
    """What one fault did to the client, from its injection to the end of the watch;

    `spans` in ms since the injection.
    """

    fault: str
    impact_ms: float
    settled: bool
    hurt: tuple[str, ...]
    spans: dict[str, tuple[tuple[float, float], ...]]
    watched_ms: float
    well_after: bool

    def hurt_for(self, least_ms: float) -> set[str]:
        """The services that were away for that long in all: a busy host makes a late answer now and then."""
        away = {service: sum(end - begin for begin, end in spans) for service, spans in self.spans.items()}
        return {service for service, ms in away.items() if ms >= least_ms}


def play(lab: Lab, fault: Fault, patience: Patience, before_heal: Callable[[], None] = lambda: None) -> Felt:
    """Inject, watch, heal, and wait until the client is well again. LabError when the client is not well to begin with.

    `before_heal` is called between the watch and the heal, while everything is as the watch left it.
    """
    with Watch(lab, fault.witness) as watch:
        if not watch.wait_well(0.3, 20.0):
            raise LabError(f"the client is not well before {fault.name}: {watch.complaints()}")
        begin = time.monotonic_ns()
        try:
            fault.inject(lab)
            watch.watch(begin, patience)
            end = time.monotonic_ns()
            time.sleep(LATEST_ANSWER)
            spans = unwell(watch.samples(), begin, end)
            settled = watch.was_well(0.3, end)
            before_heal()
        finally:
            fault.heal(lab)
        watch.dismiss_witness()
        well_after = watch.wait_well(0.3, 20.0)
    return Felt(
        fault=fault.name,
        impact_ms=round(total(span for service in spans.values() for span in service) / 1e6, 1),
        settled=settled,
        hurt=tuple(sorted(service.name.lower() for service in spans)),
        spans={service.name.lower(): tuple(_since(begin, span) for span in found) for service, found in spans.items()},
        watched_ms=round((end - begin) / 1e6, 1),
        well_after=well_after,
    )


def _since(begin: int, span: Span) -> tuple[float, float]:
    return round((span.begin - begin) / 1e6, 1), round((span.end - begin) / 1e6, 1)


class Watch:
    """The chair's samples, and the witness's, as they come."""

    def __init__(self, lab: Lab, witness: Witness | None) -> None:
        self._lab = lab
        self._file = Samples(lab.run_folder / "chair.samples")
        self._samples: list[Sample] = []
        self._uses = {service for service, used in _services(lab).items() if used}
        self._testimony = Testimony(lab, witness) if witness else None

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss_witness()
        self._file.close()

    def samples(self) -> list[Sample]:
        """Everything seen so far."""
        self._samples += self._file.new()
        if self._testimony:
            self._samples += self._testimony.new()
        return self._samples

    def watch(self, begin: int, patience: Patience) -> None:
        """Until it is settled, or until patience, which begins now, is at its end."""
        if self._testimony:
            self._testimony.start()
        injected = time.monotonic_ns()
        while (now := time.monotonic_ns()) < injected + patience.limit * 1e9:
            time.sleep(LOOK)
            if patience.settled_for is None:
                continue
            felt = any(not sample.well for sample in self.samples() if sample.begun >= begin)
            long_enough = now > injected + (patience.settled_for + LATEST_ANSWER) * 1e9
            if felt and long_enough and self.was_well(patience.settled_for, now):
                return
            if not felt and now > injected + patience.unfelt_for * 1e9:
                return

    def was_well(self, seconds: float, now: int) -> bool:
        """Whether every service answered throughout the last seconds before `now`, as far as is known yet."""
        settled = now - int(LATEST_ANSWER * 1e9)
        return is_well(self.samples()[-3000:], self._uses, settled - int(seconds * 1e9), settled)

    def wait_well(self, seconds: float, limit: float) -> bool:
        """Wait until it is so; False when it takes longer than the limit."""
        until = time.monotonic() + limit
        while not self.was_well(seconds, time.monotonic_ns()):
            if time.monotonic() > until:
                return False
            time.sleep(LOOK)
        return True

    def complaints(self) -> str:
        """Which services failed lately."""
        return ", ".join(sorted({seen.service.name.lower() for seen in self.samples()[-500:] if not seen.well}))

    def dismiss_witness(self) -> None:
        """Stop asking the witness; its samples so far stay."""
        if self._testimony:
            self._testimony.stop()
            self._samples = [seen for seen in self.samples() if seen.service is not Service.WITNESS]
            self._testimony = None


class Testimony:
    """A thread in a machine's network that asks the witness over and over and writes down samples like the chair's."""

    def __init__(self, lab: Lab, witness: Witness) -> None:
        self._lab = lab
        self._witness = witness
        self._new: list[Sample] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._testify, daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; returns when the last question was answered."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def new(self) -> list[Sample]:
        """What was said since it was last asked for."""
        taken, self._new = self._new, []
        return taken

    def _testify(self) -> None:
        with Path(f"/proc/{self._lab.machine(self._witness.machine).leader}/ns/net").open("rb") as network:
            enter(network.fileno())
        while not self._done.wait(self._witness.every):
            begun = time.monotonic_ns()
            well = self._witness.is_well(self._lab)
            took = (time.monotonic_ns() - begun) // 1000
            self._new.append(Sample(begun, took, Service.WITNESS, well))


def _services(lab: Lab) -> dict[Service, str]:
    uses = lab.office.uses
    return {
        Service.NAME: uses.name,
        Service.WEB: uses.web,
        Service.UPLOAD: uses.upload,
        Service.DB: uses.db,
        Service.SSH: uses.ssh,
    }
