"""Errors whose message is shown to the learner or the operator, so each one says what to do next."""


class TutorError(Exception):
    """Something the user can mend; `str(error)` is a complete sentence with the next step."""


class WeightsError(TutorError):
    """A weight file is missing, cut short, altered or unreadable."""


class KnowledgeError(TutorError):
    """A concept file or diagram is wrong; the message begins with `file:line:`."""


class EngineError(TutorError):
    """The model, here or behind an endpoint, cannot answer."""


class DemoError(TutorError):
    """An experiment was asked for with a name or parameter that it does not have."""
