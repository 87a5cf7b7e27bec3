"""How fast messages go to a gateway: one bucket of tokens in Redis for all workers."""

from dataclasses import dataclass

from redis import Redis

BURST_S = 5.0
RESERVE_S = 1.0
LONGEST_WAIT_S = 2.0

# The store's own clock is used, so that workers on several machines agree. Tokens may be owed: see `hurried`.
TAKE = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1e6
local rate, most, want, floor = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(most, (tonumber(kept[1]) or most) + math.max(0, at - (tonumber(kept[2]) or at)) * rate)
local granted = math.max(math.min(want, math.floor(tokens - floor)), math.min(want, 0))
tokens = math.min(most, tokens - granted)
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(at))
redis.call('EXPIRE', KEYS[1], 3600)
return {granted, tostring(tokens)}
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` messages a second on the average, five seconds' worth at once at most."""

    store: "Redis"
    gateway: str
    rate: float

    def take(self, want: int) -> int:
        """How many of `want` messages may go now. A second's worth stays for what customers wait for."""
        return self._take(want, self.rate * RESERVE_S)[0]

    def hurried(self) -> float | None:
        """A place for one message that somebody waits for: in how many seconds it may go, or None if that is long."""
        granted, tokens = self._take(1, -self.rate * LONGEST_WAIT_S)
        if not granted:
            return None
        return max(0.0, -tokens / self.rate)

    def give_back(self, unused: int) -> None:
        if unused > 0:
            self._take(-unused, 0)

    def _take(self, want: int, floor: float) -> tuple[int, float]:
        most = max(self.rate * BURST_S, self.rate * RESERVE_S + 1)
        granted, tokens = self.store.eval(
            TAKE, 1, f"mita:sms-pace:{{{self.gateway}}}", str(self.rate), str(most), str(want), str(floor)
        )
        return int(granted), float(tokens)
