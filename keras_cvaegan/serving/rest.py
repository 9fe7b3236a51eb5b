"""TensorFlow Serving's REST API."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from keras_cvaegan.serving import errors
from keras_cvaegan.serving.descriptions import (
    Signature,
    VersionStatus,
    signatures_from_json,
    statuses_from_json,
    to_array,
)
from keras_cvaegan.serving.extra import import_extra

if TYPE_CHECKING:
    from requests import Response

CONNECTIONS = 32
_CHUNK = 2**16
_KINDS = {
    400: errors.BadRequest,
    404: errors.NotFound,
    408: errors.DeadlineExceeded,
    429: errors.Unavailable,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.DeadlineExceeded,
}
# Of the answer to a lost connection or a proxy, what it holds does not matter.
_ANY_BODY = (408, 429, 502, 503, 504)
_ERROR = re.compile(rb'^\s*\{\s*"error"\s*:\s*"(.*)"\s*\}\s*$', re.DOTALL)


class RestTransport:
    """Carries requests to the REST API of one model.

    Args:
        url: `http(s)://host:port`, with a path where a proxy has one.
        model: name of the model on the server.
        version: a number, a label, or None for the latest.

    Raises:
        ImportError: when requests is not installed.
    """

    def __init__(self, url: str, model: str, version: int | str | None) -> None:
        self._requests = import_extra("requests")
        adapter = self._requests.adapters.HTTPAdapter(
            pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS
        )
        self._session = self._requests.Session()
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._model_url = self._url = f"{url}/v1/models/{quote(model, safe='')}"
        if version is not None:
            kind = "versions" if isinstance(version, int) else "labels"
            self._url += f"/{kind}/{quote(str(version), safe='')}"
        self._signatures: dict[str, Signature] = {}

    def close(self) -> None:
        self._session.close()

    def statuses(self, seconds: float) -> list[VersionStatus]:
        answer = self._ask("GET", self._model_url, seconds)
        return errors.read_as(statuses_from_json, answer)

    def signatures(self, seconds: float) -> dict[str, Signature]:
        answer = self._ask("GET", f"{self._url}/metadata", seconds)
        self._signatures = errors.read_as(signatures_from_json, answer)
        return self._signatures

    def known_signatures(self, seconds: float) -> dict[str, Signature]:
        """The signatures as they were when last asked for: types and names hardly ever change."""
        return self._signatures or self.signatures(seconds)

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        end = time.monotonic() + seconds
        if signature not in self._signatures:
            # JSON names no types, nor the output where it is the only one.
            self.signatures(seconds)
        body = {
            "signature_name": signature,
            "inputs": {name: _to_json(values) for name, values in inputs.items()},
        }
        answer = self._ask("POST", f"{self._url}:predict", end - time.monotonic(), body)
        expected = self._signatures[signature].outputs if signature in self._signatures else {}

        def outputs(answer: Any) -> dict[str, np.ndarray]:
            values = answer["outputs"]
            if not isinstance(values, dict):
                [name] = expected
                values = {name: values}
            return {name: to_array(_from_json(values[name]), t) for name, t in expected.items()}

        return errors.read_as(outputs, answer)

    def _ask(self, method: str, url: str, seconds: float, body: Any = None) -> Any:
        """Returns the JSON that the server answers, or raises what went wrong."""
        end, requests = time.monotonic() + seconds, self._requests
        data = None if body is None else json.dumps(body).encode()
        try:
            response = self._session.request(
                method,
                url,
                data=data,
                headers={"Content-Type": "application/json"},
                timeout=max(seconds, 0.001),
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = b"".join(_until(end, response.iter_content(_CHUNK)))
        except requests.Timeout as error:
            raise errors.DeadlineExceeded from error
        except requests.exceptions.SSLError as error:
            raise errors.ServingError(f"No secure connection: {_reason(error)}.") from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if time.monotonic() >= end:  # Time-outs amid an answer come as lost connections.
                raise errors.DeadlineExceeded from error
            raise errors.Unavailable(f"Cannot reach the server: {_reason(error)}.") from error
        except requests.RequestException as error:
            raise errors.ServingError(f"The request failed: {_reason(error)}.") from error
        return _answer(response, content)


def _until(end: float, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Passes on what arrives in time."""
    for chunk in chunks:
        if time.monotonic() > end:
            raise errors.DeadlineExceeded("The server is still sending.")
        yield chunk


def _answer(response: Response, content: bytes) -> Any:
    status = response.status_code
    if status == 200:
        try:
            return json.loads(content)
        except ValueError as error:
            raise _not_serving(response, content) from error
    if "Location" in response.headers:
        where = response.headers["Location"]
        raise errors.ServingError(f"The server sends on to {where!r}: give that address.")
    message = _error_message(content)
    kind = _KINDS.get(status, errors.ServingError)
    if message is None and status not in _ANY_BODY:
        raise _not_serving(response, content)
    raise kind(errors.clean(message) if message else f"HTTP {status} {response.reason}.")


def _not_serving(response: Response, content: bytes) -> errors.ServingError:
    kind = response.headers.get("Content-Type", "no type").partition(";")[0]
    start = " ".join(content[:80].decode("utf-8", "replace").split())
    return errors.ServingError(
        f"HTTP {response.status_code} with {kind} that is not the JSON of TensorFlow Serving's "
        f"REST API: {start!r}. Give the address of its REST port, by default 8501."
    )


def _error_message(content: bytes) -> str | None:
    """The message of an error's JSON; older servers escape it as C does, which JSON forbids."""
    try:
        return str(json.loads(content)["error"])
    except errors.MALFORMED:
        found = _ERROR.match(content)
        return errors.unescape(found[1]) if found else None


def _reason(error: BaseException) -> str:
    """What the system said, beneath what libraries made of it."""
    innermost = error
    while cause := innermost.__cause__ or innermost.__context__:
        innermost = cause
    return getattr(innermost, "strerror", None) or str(innermost)


def _to_json(values: np.ndarray) -> Any:
    if values.dtype != object:
        return values.tolist()
    return [
        {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for value in values
    ]


def _from_json(values: Any) -> Any:
    """Lists with bytes in the place of `{"b64": …}`."""
    if isinstance(values, list):
        return [_from_json(value) for value in values]
    if isinstance(values, dict):
        return base64.b64decode(values["b64"], validate=True)
    return values
