"""How long to wait before something that ended is started again."""

from dataclasses import dataclass


@dataclass
class Backoff:
    """Twice as long after each early end, up to `longest`; from `first` again after a time of good running."""

    first: float = 0.5  # seconds, as all here
    longest: float = 30
    good_after: float = 60
    failures: int = 0  # in a row

    def wait_after(self, ran_for: float) -> float:
        """The wait after a run of this length, which counts as one more failure."""
        self.failures = 1 if ran_for >= self.good_after else self.failures + 1
        doublings = min(self.failures - 1, 30)
        return float(min(self.first * 2**doublings, self.longest))
