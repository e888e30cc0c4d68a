-- Stores a decision and what it spends, all or nothing.
--
-- KEYS[1]  the decision about the action
-- KEYS[2…] the counters: sorted sets of "high:low:action", scored by microseconds
-- ARGV[1]  the decision
-- ARGV[2]  for how long it is kept, in milliseconds; 0 for ever
-- ARGV[3]  now, in microseconds; empty for the clock of this server
-- ARGV[4]  the action's ID
-- ARGV[5]  what is spent, as JSON: a list of {key, high, low, keep, window, maxHigh, maxLow, maxCount}
--
-- Returns {"stands", decision}, or {"over", "n high low count"} if spend n does not fit and the counter holds
-- so much.
--
-- Numbers here are exact up to 2^53 only, so amounts come in two halves: amount = high * 2^32 + low. A
-- sum of a million halves is exact.

local stands = redis.call('GET', KEYS[1])
if stands then
  return {'stands', stands}
end

local half = 4294967296
local now = tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local spends = cjson.decode(ARGV[5])

for n, s in ipairs(spends) do
  local high, low, count = 0, 0, 0
  local first = string.format('(%.0f', now - s.window)
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[s.key], first, '+inf')) do
    local h, l = string.match(entry, '^(%d+):(%d+):')
    high, low, count = high + tonumber(h), low + tonumber(l), count + 1
  end
  local sumHigh, sumLow = high + s.high, low + s.low
  sumHigh, sumLow = sumHigh + math.floor(sumLow / half), sumLow % half
  local limited = s.maxHigh > 0 or s.maxLow > 0
  local over = limited and (sumHigh > s.maxHigh or (sumHigh == s.maxHigh and sumLow > s.maxLow))
  if over or (s.maxCount > 0 and count >= s.maxCount) then
    return {'over', string.format('%d %.0f %.0f %d', n, high, low, count)}
  end
end

for _, s in ipairs(spends) do
  local key = KEYS[s.key]
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - s.keep))
  redis.call('ZADD', key, string.format('%.0f', now), string.format('%.0f:%.0f:%s', s.high, s.low, ARGV[4]))
  redis.call('PEXPIRE', key, string.format('%.0f', math.ceil(s.keep / 1000)))
end
if tonumber(ARGV[2]) > 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[1])
end
return {'stands', ARGV[1]}
