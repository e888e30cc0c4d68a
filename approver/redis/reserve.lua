-- Stores a decision and what it spends, all or nothing.
--
-- KEYS[1]  the decision about the action
-- KEYS[2]  the epoch
-- KEYS[3]  the number of the last decision
-- KEYS[4…] the counters: sorted sets of "number:sum:amount:keep", scored by microseconds. The number is the entry's within the
--          counter, of 16 digits so that entries of the same microsecond are in order; the sum is with the amount. So what
--          a window holds takes two looks: the last entry, and the first of the window. The keep is for how many microseconds
--          entries are kept, that of the longest window that the counter has had: it never gets less while there are any.
-- ARGV[1]  the decision, as a JSON object that is not empty and has no number
-- ARGV[2]  for how long it is kept, in milliseconds; 0 for ever
-- ARGV[3]  now, in microseconds; empty for the clock of this server
-- ARGV[4]  the epoch that the caller began with
-- ARGV[5]  what is spent, as JSON: a list of {key, high, low, keep, window, maxHigh, maxLow, maxCount}
-- ARGV[6]  the largest number of a decision that the caller knows
--
-- Returns {"stands", decision}, {"lost", epoch} if the epoch is another, {"behind", number} if the last decision has a smaller number
-- than the caller knows, or {"over", "n top high low count"} if spend n does
-- not fit and the counter holds so much.
--
-- Numbers here are exact up to 2^53 only, so amounts come in two parts of 32 bits, "high.low", and sums have three.

local epoch = redis.call('GET', KEYS[2])
if epoch ~= ARGV[4] then
  if not epoch then -- so that a program that starts does not take this for a store that nobody has used yet
    epoch = 'lost after ' .. ARGV[4]
    redis.call('SET', KEYS[2], epoch)
  end
  return {'lost', epoch}
end

local last = redis.call('GET', KEYS[3]) or '0'
if tonumber(last) < tonumber(ARGV[6]) then
  return {'behind', last}
end

local stands = redis.call('GET', KEYS[1])
if stands then
  return {'stands', stands}
end

local now = tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local spends = cjson.decode(ARGV[5])

local part = 4294967296
local function plus(a, b)
  local low = a.low + b.low
  local high = a.high + b.high + math.floor(low / part)
  return {top = a.top + b.top + math.floor(high / part), high = high % part, low = low % part}
end
local function minus(a, b)
  local low = a.low - b.low
  local high = a.high - b.high + math.floor(low / part)
  return {top = a.top - b.top + math.floor(high / part), high = high % part, low = low % part}
end

-- read returns the one entry that there may be in a list.
local function read(list)
  if #list == 0 then
    return {count = 0, at = 0, keep = 0, sum = {top = 0, high = 0, low = 0}}
  end
  -- Entries of earlier versions have no keep.
  local n, st, sh, sl, h, l, keep = string.match(list[1], '^(%d+):(%d+)%.(%d+)%.(%d+):(%d+)%.(%d+):?(%d*)$')
  return {
    count = tonumber(n), at = tonumber(list[2]), keep = tonumber(keep) or 0, sum = {top = tonumber(st), high = tonumber(sh), low = tonumber(sl)},
    amount = {top = 0, high = tonumber(h), low = tonumber(l)},
  }
end

local function lastOf(key)
  return read(redis.call('ZRANGE', key, -1, -1, 'WITHSCORES'))
end

-- used returns what the window of a spend holds.
local function used(s)
  local after = string.format('(%.0f', now - s.window)
  local first = read(redis.call('ZRANGEBYSCORE', KEYS[s.key], after, '+inf', 'WITHSCORES', 'LIMIT', 0, 1))
  if first.count == 0 then
    return first.sum, 0
  end
  local l = lastOf(KEYS[s.key])
  return minus(l.sum, minus(first.sum, first.amount)), l.count - first.count + 1
end

for n, s in ipairs(spends) do
  s.top = 0
  local sum, count = used(s)
  local with = plus(sum, s)
  local over = false
  if s.maxHigh > 0 or s.maxLow > 0 then
    over = with.top > 0 or with.high > s.maxHigh or (with.high == s.maxHigh and with.low > s.maxLow)
  end
  if over or (s.maxCount > 0 and count >= s.maxCount) then
    return {'over', string.format('%d %.0f %.0f %.0f %.0f', n, sum.top, sum.high, sum.low, count)}
  end
end

local done = {}
for _, s in ipairs(spends) do
  local key = KEYS[s.key]
  if not done[key] then -- else it was counted with another window
    done[key] = true
    local l = lastOf(key)
    local sum, at = plus(l.sum, s), math.max(now, l.at) -- also if the clock was set back
    local keep = math.max(s.keep, l.keep) -- another replica may count with a longer window
    -- More than are added, so that none pile up, and not all that a busy day has left.
    local old = redis.call('ZRANGEBYSCORE', key, '-inf', string.format('%.0f', now - keep), 'LIMIT', 0, 16)
    if #old > 0 then
      redis.call('ZREMRANGEBYRANK', key, 0, #old - 1)
    end
    redis.call('ZADD', key, string.format('%.0f', at),
      string.format('%016.0f:%.0f.%.0f.%.0f:%.0f.%.0f:%.0f', l.count + 1, sum.top, sum.high, sum.low, s.high, s.low, keep))
    redis.call('PEXPIRE', key, string.format('%.0f', math.ceil((at - now + keep) / 1000)))
  end
end
local number = redis.call('INCR', KEYS[3])
local decision = string.format('{"seq":%.0f,', number) .. string.sub(ARGV[1], 2)
if tonumber(ARGV[2]) > 0 then
  redis.call('SET', KEYS[1], decision, 'PX', ARGV[2])
else
  redis.call('SET', KEYS[1], decision)
end
return {'stands', decision}
