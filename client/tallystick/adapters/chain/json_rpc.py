"""JSON-RPC over several endpoints: which one to ask, when to ask another, and when to give up.

A fault of an endpoint (refused, timed out, 429, 5xx, not JSON-RPC) moves on to the next one and rests the faulty one,
longer each time. An answer that another node may give otherwise (behind, rate limited, no history, no index) moves on
too. Any other JSON-RPC error is the cluster's answer and is raised as RpcError at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx

from tallystick.adapters.chain.json_stream import ListingReader
from tallystick.adapters.clock import Clock
from tallystick.errors import ChainError, ClusterMismatch, ConfigurationError, EndpointError, RpcError

Answer = TypeVar("Answer")

# Codes from Agave's rpc-client-api custom_error.rs, and the ones providers use for their rate limits.
NODE_BEHIND: Final = -32005
MIN_CONTEXT_SLOT_NOT_REACHED: Final = -32016
_TIRED: Final = frozenset({NODE_BEHIND, 429, -32429})
_ASK_ANOTHER: Final = _TIRED | {
    MIN_CONTEXT_SLOT_NOT_REACHED,
    -32010,  # this node keeps no index for the query
    -32011,  # this node keeps no transaction history
    -32603,  # internal error
    -32601,  # method switched off on this node
}


@dataclass(frozen=True, slots=True)
class RpcLimits:
    """How patient to be; all in seconds but `rounds`, the number of times all endpoints are tried for one read.

    `short_timeout` is for what goes to all endpoints again and again while a transaction is followed: one that hangs
    must not slow the others' broadcasts down; one alone has `timeout`. `listing_timeout` is for every silence while a
    long list is computed and arrives, `listing_time` for all of it, and `listing_size` is the most bytes it may have.
    `requests_per_second` is what each endpoint is asked at most, with two at once after a rest, first come first
    served; None for no limit.
    """

    timeout: float = 10.0
    short_timeout: float = 2.0
    rounds: int = 3
    first_rest: float = 0.5
    longest_rest: float = 15.0
    listing_timeout: float = 120.0
    listing_time: float = 1_200.0
    listing_size: int = 8 * 2**30
    requests_per_second: float | None = None

    def __post_init__(self) -> None:
        """ConfigurationError for a rate that lets nothing through."""
        if self.requests_per_second is not None and not self.requests_per_second > 0:
            raise ConfigurationError("requests_per_second must be above zero.", hint="Leave it out for no limit.")


@dataclass(slots=True)
class Endpoint:
    """One node, and what is remembered of its health. `label` is its address without path, query or credentials."""

    url: str = field(repr=False)
    label: str
    faults: int = 0
    rests_until: float = 0.0
    is_verified: bool = False
    free_at: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @classmethod
    def at(cls, url: str) -> Endpoint:
        """Raises ConfigurationError when `url` is not http or https. Keys in it are not shown anywhere."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                "An RPC endpoint is not a web address.",
                hint="Expected http://host:port or https://host/path in the profile.",
            )
        port = f":{parts.port}" if parts.port else ""
        return cls(url, f"{parts.scheme}://{parts.hostname}{port}")

    async def wait_for_turn(self, clock: Clock, rate: float) -> None:
        """Wait until one more request keeps within `rate` a second. In any window of t seconds there are at most
        rate x t + 2: a bucket of two, so that what wakes late may catch up by one."""
        spacing = 1 / rate
        async with self.turn:
            while (wait := self.free_at - spacing - clock.monotonic()) > 1e-6:
                await clock.sleep(wait)
            self.free_at = max(self.free_at, clock.monotonic()) + spacing


class _Fault(Exception):  # noqa: N818 - never leaves this file
    """The endpoint gave no JSON-RPC answer. `rest` is how long it asked to be left alone, in seconds."""

    def __init__(self, reason: str, rest: float | None = None) -> None:
        super().__init__(reason)
        self.rest = rest


class JsonRpc:
    """Calls by method name over `urls`, the preferred first. All must serve the cluster of `genesis_hash`.

    With `genesis_hash` None, the first to answer says which cluster it is and the others must agree.
    """

    def __init__(
        self, urls: Sequence[str], clock: Clock, client: httpx.AsyncClient, limits: RpcLimits, genesis_hash: str | None
    ) -> None:
        if not urls:
            raise ConfigurationError("No RPC endpoint is set.", hint="Name at least one in the profile; two is safer.")
        if len(set(urls)) != len(urls):
            raise ConfigurationError(
                "An RPC endpoint is named twice.",
                hint="Each must be a different provider; asking one twice proves no more than asking it once.",
            )
        self.endpoints: Final = tuple(Endpoint.at(url) for url in urls)
        self._clock = clock
        self._client = client
        self._limits = limits
        self._genesis_hash = genesis_hash
        self._is_established = False
        self._establishing = asyncio.Lock()
        self._request_id = 0

    async def call(self, method: str, params: Sequence[object] = ()) -> Any:
        """The `result`, from the first endpoint that gives one.

        Raises RpcError when the cluster's answer is an error, EndpointError when no endpoint answers, ClusterMismatch.
        """
        return await self._first_answer(method, lambda endpoint: self._verified(endpoint, method, params))

    async def call_listing(
        self, method: str, params: Sequence[object], open_reader: Callable[[], ListingReader]
    ) -> ListingReader:
        """The same for an answer with one long list, which is read while it arrives. `open_reader` makes a new reader
        for every try; the finished one is returned. Raises what `call` does, and what the reader's `take` raises."""

        async def ask(endpoint: Endpoint) -> ListingReader:
            await self._require_verified(endpoint)
            return await self._request_listing(endpoint, method, params, open_reader())

        return await self._first_answer(method, ask)

    async def _first_answer(self, method: str, ask: Callable[[Endpoint], Awaitable[Answer]]) -> Answer:
        await self.establish()
        refusals: list[RpcError] = []
        faults: dict[str, str] = {}
        for turn in range(self._limits.rounds):
            if turn:
                await self._pause(turn)
            for endpoint in self._ready_first():
                try:
                    return await ask(endpoint)
                except _Fault as fault:
                    faults[endpoint.label] = str(fault)
                except RpcError as error:
                    if error.code not in _ASK_ANOTHER:
                        raise
                    refusals.append(error)
                    faults[endpoint.label] = str(error)
        told = "; ".join(f"{label}: {reason}" for label, reason in faults.items())
        if refusals:
            last = refusals[-1]
            raise RpcError(
                last.code,
                last.message.removesuffix(f" (JSON-RPC {last.code})"),
                last.data,
                hint=f"Every endpoint was asked {self._limits.rounds} times. {told}",
            )
        raise EndpointError(
            f"No endpoint answered {method}. {told}",
            hint="Check the network, and the endpoints in the profile or under --url.",
        )

    async def call_all(
        self, method: str, params: Sequence[object] = (), *, within: float | None = None, skips_resting: bool = False
    ) -> list[Any | ChainError]:
        """One try at every endpoint at once: the `result` or the error of each, in their order.

        `within` in seconds, where there is more than one. `skips_resting` leaves out those at fault just before. Raises
        ClusterMismatch.
        """
        await self.establish()

        now = self._clock.monotonic()
        if len(self.endpoints) == 1:
            within = None

        async def ask(endpoint: Endpoint) -> Any | ChainError:
            if skips_resting and endpoint.rests_until > now:
                return EndpointError(f"{endpoint.label} was at fault just before and is left alone.")
            try:
                return await self._verified(endpoint, method, params, within)
            except _Fault as fault:
                return EndpointError(f"{endpoint.label} did not answer {method}: {fault}")
            except RpcError as error:
                return error

        return list(await asyncio.gather(*(ask(endpoint) for endpoint in self.endpoints)))

    async def establish(self) -> str:
        """Ask every endpoint which cluster it serves, once; the genesis hash. Raises ClusterMismatch, EndpointError."""
        async with self._establishing:
            for turn in range(self._limits.rounds):
                if self._is_established:
                    break
                if turn:
                    await self._pause(turn)
                reasons = await asyncio.gather(*(self._verify(endpoint) for endpoint in self.endpoints))
                self._is_established = any(endpoint.is_verified for endpoint in self.endpoints)
            if not self._is_established:
                raise EndpointError(
                    f"No endpoint answered getGenesisHash. {'; '.join(reason for reason in reasons if reason)}",
                    hint="Check the network, and the endpoints in the profile or under --url.",
                )
            assert self._genesis_hash is not None
            return self._genesis_hash

    async def _verify(self, endpoint: Endpoint) -> str:
        """Compare the endpoint's genesis hash; an empty string, or why it did not answer."""
        try:
            answer = await self._request(endpoint, "getGenesisHash", ())
        except (_Fault, RpcError) as fault:
            return f"{endpoint.label}: {fault}"
        if not isinstance(answer, str):
            return f"{endpoint.label}: its genesis hash is not text"
        if self._genesis_hash is None:
            self._genesis_hash = answer
        if answer != self._genesis_hash:
            raise ClusterMismatch(
                f"{endpoint.label} serves the cluster {answer}, expected {self._genesis_hash}.",
                hint="All endpoints of a profile must serve one cluster; take the wrong one out.",
            )
        endpoint.is_verified = True
        return ""

    async def _verified(
        self, endpoint: Endpoint, method: str, params: Sequence[object], within: float | None = None
    ) -> Any:
        await self._require_verified(endpoint)
        return await self._request(endpoint, method, params, within)

    async def _require_verified(self, endpoint: Endpoint) -> None:
        if not endpoint.is_verified and (reason := await self._verify(endpoint)):
            raise _Fault(reason.removeprefix(f"{endpoint.label}: "))

    def _ready_first(self) -> list[Endpoint]:
        """Those that do not rest, in the order given; if all rest, all, the one that wakes first in front."""
        now = self._clock.monotonic()
        ready = [endpoint for endpoint in self.endpoints if endpoint.rests_until <= now]
        return ready or sorted(self.endpoints, key=lambda endpoint: endpoint.rests_until)

    async def _pause(self, turn: int) -> None:
        """Wait until the first endpoint has rested, or a moment when none rests (it was behind, say)."""
        wake = min(endpoint.rests_until for endpoint in self.endpoints) - self._clock.monotonic()
        shortest = self._limits.first_rest * turn
        await self._clock.sleep(min(max(wake, shortest), self._limits.longest_rest))

    async def _request(
        self, endpoint: Endpoint, method: str, params: Sequence[object], within: float | None = None
    ) -> Any:
        """The `result` of one request. Raises _Fault, or RpcError; either way the endpoint's health is kept."""
        request = await self._new_request(endpoint, method, params)
        try:
            answer = await self._post(endpoint, request, within or self._limits.timeout)
        except _Fault as fault:
            self._rest(endpoint, fault.rest)
            raise
        self._require_no_error(endpoint, answer.get("error"))
        return answer["result"]

    async def _request_listing(
        self, endpoint: Endpoint, method: str, params: Sequence[object], reader: ListingReader
    ) -> ListingReader:
        """The reader, fed with the answer to one request. Raises as `_request` does, and what the reader raises."""
        request = await self._new_request(endpoint, method, params)
        try:
            await self._stream(endpoint, request, reader)
            if reader.answer.get("id") != request["id"] or (reader.result is None and "error" not in reader.answer):
                raise _Fault("its answer is no list with a context")
        except _Fault as fault:
            self._rest(endpoint, fault.rest)
            raise
        self._require_no_error(endpoint, reader.answer.get("error"))
        return reader

    async def _new_request(self, endpoint: Endpoint, method: str, params: Sequence[object]) -> dict[str, object]:
        """A request to an endpoint, when its turn has come."""
        if self._limits.requests_per_second is not None:
            await endpoint.wait_for_turn(self._clock, self._limits.requests_per_second)
        self._request_id += 1
        return {"jsonrpc": "2.0", "id": self._request_id, "method": method, "params": list(params)}

    def _require_no_error(self, endpoint: Endpoint, error: Any) -> None:
        """Keep the endpoint's health; raise the error there is."""
        if error is None:
            endpoint.faults, endpoint.rests_until = 0, 0.0
            return
        code = error.get("code") if isinstance(error, dict) else None
        if not isinstance(code, int):
            self._rest(endpoint, None)
            raise _Fault("its error is not a JSON-RPC error")
        if code in _TIRED:
            self._rest(endpoint, None)
        raise RpcError(code, str(error.get("message", "no message")), error.get("data"))

    async def _stream(self, endpoint: Endpoint, request: dict[str, object], reader: ListingReader) -> None:
        limits, size = self._limits, 0
        patience = httpx.Timeout(limits.timeout, read=limits.listing_timeout)
        try:
            async with (
                asyncio.timeout(limits.listing_time),
                self._client.stream("POST", endpoint.url, json=request, timeout=patience) as response,
            ):
                if response.status_code == 429:
                    raise _Fault("rate limited (HTTP 429)", _retry_after(response, limits.longest_rest))
                try:
                    async for part in response.aiter_bytes():
                        size += len(part)
                        if size > limits.listing_size:
                            raise _Fault(f"its answer has more than {limits.listing_size:,} bytes")
                        reader.feed(part)
                    reader.finish()
                except (ValueError, RecursionError) as error:
                    is_found = response.status_code == 200
                    reason = f"its answer is not JSON-RPC ({error})" if is_found else f"HTTP {response.status_code}"
                    raise _Fault(reason) from None
        except TimeoutError:
            raise _Fault(f"its answer did not end within {limits.listing_time:g} s") from None
        except httpx.TimeoutException:
            raise _Fault(f"silent for {limits.listing_timeout:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _Fault(f"could not be reached, or broke off ({type(error).__name__})") from None

    async def _post(self, endpoint: Endpoint, request: dict[str, object], within: float) -> dict[str, Any]:
        try:
            response = await self._client.post(endpoint.url, json=request, timeout=within)
        except httpx.TimeoutException:
            raise _Fault(f"no answer within {within:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # The type alone: some messages quote the address, and providers put their keys into it.
            raise _Fault(f"could not be reached ({type(error).__name__})") from None
        if response.status_code == 429:
            raise _Fault("rate limited (HTTP 429)", _retry_after(response, self._limits.longest_rest))
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        is_answer = (
            isinstance(answer, dict)
            and answer.get("id") == request["id"]
            and ("result" in answer or answer.get("error") is not None)
        )
        if is_answer:
            return dict(answer)
        if response.status_code != 200:
            raise _Fault(f"HTTP {response.status_code}")
        raise _Fault("its answer is not JSON-RPC")

    def _rest(self, endpoint: Endpoint, asked: float | None) -> None:
        endpoint.faults += 1
        rest = min(self._limits.first_rest * 2 ** min(endpoint.faults - 1, 16), self._limits.longest_rest)
        endpoint.rests_until = self._clock.monotonic() + max(rest, asked or 0.0)


def _retry_after(response: httpx.Response, longest: float) -> float | None:
    value = response.headers.get("retry-after", "")
    return min(float(value), longest) if value.isascii() and value.isdecimal() else None


__all__ = ["MIN_CONTEXT_SLOT_NOT_REACHED", "NODE_BEHIND", "Endpoint", "JsonRpc", "RpcLimits"]
