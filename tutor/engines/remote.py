"""A model behind an OpenAI-compatible endpoint, for when a class outgrows one machine.

Nothing is sent to any other address than the one that the settings name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from tutor.engines.base import Message
from tutor.errors import EngineError

log = logging.getLogger(__name__)

_TIMEOUT_S = 60


class RemoteEngine:
    """Streams chat completions. Closing the iterator closes the connection, which stops a server that honours it."""

    def __init__(self, endpoint: str, model: str, api_key: str = "") -> None:
        from huggingface_hub import InferenceClient

        self.name, self._endpoint = model, endpoint
        # "embedded" is the default of TUTOR_MODEL and no model of the endpoint's: let the server use its own.
        self._model = None if model == "embedded" else model
        self._client = InferenceClient(base_url=endpoint, api_key=api_key or "none", timeout=_TIMEOUT_S)

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Yield the answer piece by piece; raises EngineError if the endpoint fails or breaks off."""
        from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError, OfflineModeIsEnabled

        # The transport's own base error: httpx or httpx2, whichever this huggingface_hub was built on.
        transport: type[Exception] = HfHubHTTPError.__bases__[0]
        turns = [{"role": message.role, "content": message.text} for message in messages]
        finished = False
        try:
            stream = self._client.chat_completion(
                turns, model=self._model, max_tokens=max_new_tokens, temperature=0.0, stream=True
            )
            for chunk in stream:
                if not chunk.choices:
                    continue
                choice = chunk.choices[0]
                if choice.delta.content:
                    yield choice.delta.content
                finished = finished or choice.finish_reason is not None
        except (HfHubHTTPError, InferenceTimeoutError, OfflineModeIsEnabled, transport, OSError, ValueError) as error:
            log.warning("%s: %s: %s", self._endpoint, type(error).__name__, error)
            raise EngineError(
                f"The model at {self._endpoint} did not answer ({type(error).__name__}). Ask again in a moment; "
                "whoever runs this tutor should check TUTOR_ENDPOINT, TUTOR_MODEL and TUTOR_API_KEY."
            ) from error
        if not finished:
            raise EngineError(f"The answer from {self._endpoint} broke off. Ask again.")

    def count(self, text: str) -> int:
        """An estimate, four characters a token: the endpoint's tokenizer is not known here."""
        return max(1, len(text) // 4) if text else 0
