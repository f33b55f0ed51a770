"""Outcomes of emulated batches, for `emulator.script_batches(faults.batch_expired(answered=2))`."""

from langchain_kimi.testing.batches import BatchEnding


def batch_expired(answered: int = 0) -> BatchEnding:
    """Return the ending of a batch whose window passed when only the first rows were answered."""
    return BatchEnding(status="expired", answered=answered)


def batch_cancelled(answered: int = 0) -> BatchEnding:
    """Return the ending of a batch that was cancelled when only the first rows were answered."""
    return BatchEnding(status="cancelled", answered=answered)


def batch_failed(message: str = "The batch is invalid.") -> BatchEnding:
    """Return the ending of a batch whose validation failed, with all of its rows."""
    return BatchEnding(status="failed", message=message)


def rows_rejected(*positions: int) -> BatchEnding:
    """Return the ending of a batch in which the provider refuses the rows at these positions."""
    return BatchEnding(rejected=positions)


def rows_missing(*positions: int) -> BatchEnding:
    """Return the ending of a batch without results of the rows at these positions."""
    return BatchEnding(missing=positions)


def rows_reversed() -> BatchEnding:
    """Return the ending of a batch whose results come in another order than its requests."""
    return BatchEnding(reverses=True)


def results_unpaid(message: str = "Insufficient credits for the results of this batch.") -> BatchEnding:
    """Return the ending of a batch whose results are withheld until the account has credit (status 402)."""
    return BatchEnding(refusal=(402, message))


def results_deleted(message: str = "The results of this batch have expired.") -> BatchEnding:
    """Return the ending of a batch whose results are not kept any more (status 410)."""
    return BatchEnding(refusal=(410, message))
