"""The states of a publication, and what leads from one to the next. It does no input or output.

A publication is in one state. A step asks the registries how things are, does what is missing, and ends with an
event; `TRANSITIONS` says what follows. A step that fails, or that waits for a person, changes nothing, and is repeated
when the publication is resumed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

FORMAT = "arcrun.publishing.v1"


class Stage(NamedTuple):
    """One step on the way: its name, the state in which it is due, and the one that follows when it is done."""

    step: str
    due: str
    then: str
    summary: str


STAGES = (
    Stage("names", "new", "named", "who owns the names on PyPI and npm"),
    Stage("evidence", "named", "proven", "GO of this very tree, clean, tagged and on main"),
    Stage("live", "proven", "gated", "GO of these packages with the hosted engine"),
    Stage("npm_stage", "gated", "staged", "stage the tarball on npm"),
    Stage("approval", "staged", "approved", "a person compares and approves"),
    Stage("pypi_upload", "approved", "pypi_public", "upload to PyPI, with attestations"),
    Stage("pypi_verify", "pypi_public", "pypi_verified", "install from PyPI by hash"),
    Stage("npm_approve", "pypi_verified", "npm_public", "the same person approves the npm stage"),
    Stage("npm_verify", "npm_public", "npm_verified", "bytes and provenance on npm"),
    Stage("github_release", "npm_verified", "released", "a GitHub release with the evidence"),
)
# Final states, and what each means.
FINAL = {
    "released": "everything is public",
    "refused": "the approver refused; nothing is public anywhere",
    "aborted": "it was aborted",
    "stuck": "it can't go on; only a new version can",
}
# A person is asked for these: they run in `nox -s approve`, and the publication waits for them.
BY_A_PERSON = ("approval", "npm_approve")
_DUE = tuple(stage.due for stage in STAGES)
# The npm stage is needed in these; where npm has it no more, the tarball is staged and approved again. What is on PyPI
# by then is found there, and not sent again.
_NEEDS_NPM_STAGE = ("staged", "approved", "pypi_public", "pypi_verified")

TRANSITIONS: dict[tuple[str, str], str] = {
    **{(stage.due, "done"): stage.then for stage in STAGES},
    **{(state, "stage_lost"): "gated" for state in _NEEDS_NPM_STAGE},
    ("staged", "refused"): "refused",
    **{(state, "impossible"): "stuck" for state in _DUE},
    **{(state, "aborted"): "aborted" for state in _DUE},
}


class NoTransition(Exception):
    """An event is not possible in a state; the message names both."""


class RecordInvalid(Exception):
    """A record can't be one of a publication; the message says why."""


@dataclass(frozen=True)
class Approval:
    """A person's consent: to exactly these bytes.

    Attributes:
        by: Who, as git knows them.
        at: When.
        files: The SHA-256 of each file that they compared.
        npm_stage: The id of the npm stage that they compared; None where npm had the version already.
    """

    by: str
    at: str
    files: dict[str, str]
    npm_stage: str | None


@dataclass(frozen=True)
class Record:
    """A publication: what is published, how far it is, and how it got there.

    Attributes:
        version: The version.
        commit: The commit of the evidence.
        registry: `public` or `local`.
        files: The SHA-256 of each file.
        state: One of `STAGES` or `FINAL`.
        npm_stage: The id that npm gave to the stage.
        approval: The consent to these files and this stage.
        history: Each event: when, at which step, which, and in a sentence what happened.
    """

    version: str
    commit: str
    registry: str
    files: dict[str, str]
    state: str = "new"
    npm_stage: str | None = None
    approval: Approval | None = None
    history: tuple[dict[str, str], ...] = field(default=())

    @property
    def stage(self) -> Stage | None:
        """Return the step that is due; None in a final state."""
        return next((stage for stage in STAGES if stage.due == self.state), None)

    def after(self, event: str, *, at: str, told: str) -> Record:
        """Return the record after an event.

        Raises:
            NoTransition: It is not possible in this state.
        """
        then = TRANSITIONS.get((self.state, event))
        if then is None:
            raise NoTransition(f"{event} is not possible for a publication that is {self.state}")
        step = self.stage.step if self.stage else self.state
        entry = {"at": at, "step": step, "event": event, "told": told}
        changed = replace(self, state=then, history=(*self.history, entry))
        return replace(changed, npm_stage=None, approval=None) if event == "stage_lost" else changed

    def with_stage(self, npm_stage: str | None) -> Record:
        """Return the record with the id of an npm stage; None leaves it as it is."""
        return replace(self, npm_stage=npm_stage) if npm_stage else self

    def approved(self, approval: Approval) -> Record:
        """Return the record with a person's consent."""
        return replace(self, approval=approval)

    def noted(self, event: str, *, at: str, told: str) -> Record:
        """Return the record with an entry in its history, for what changes no state."""
        entry = {"at": at, "step": self.state, "event": event, "told": told}
        if self.stage:
            entry["step"] = self.stage.step
        return replace(self, history=(*self.history, entry))

    def as_document(self) -> dict[str, Any]:
        """Return the record as JSON has it."""
        return {"format": FORMAT, **asdict(self), "history": list(self.history)}


def record_of(document: Any) -> Record:
    """Return the record that a document holds.

    Raises:
        RecordInvalid: It holds none.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RecordInvalid(f"it does not have the format {FORMAT}")
    fields = {name: value for name, value in document.items() if name != "format"}
    try:
        approval = fields.get("approval")
        fields["approval"] = Approval(**approval) if approval else None
        fields["history"] = tuple(fields.get("history", ()))
        record = Record(**fields)
    except TypeError as error:
        raise RecordInvalid(str(error)) from None
    if record.state not in {*_DUE, *FINAL}:
        raise RecordInvalid(f"there is no state {record.state!r}")
    return record
