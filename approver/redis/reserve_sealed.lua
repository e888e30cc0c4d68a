-- Stores a decision and what it spends, all or nothing, if nothing was stored since the caller has looked. The caller has the key of the
-- seals, checks the limits, and seals what is stored; this server cannot.
--
-- KEYS[1]  the decision about the action
-- KEYS[2]  the epoch
-- KEYS[3]  the number of the last decision
-- KEYS[4…] the counters, as in reserve.lua. A member ends with ":" and its seal.
-- ARGV[1]  the decision, with its number and its seal
-- ARGV[2]  for how long it is kept, in milliseconds; 0 for ever
-- ARGV[3]  the epoch that the caller began with
-- ARGV[4]  the number of the last decision when the caller has looked
-- ARGV[5…] for each counter: the score of its entry, the entry, the score up to which some entries are not needed any more, and for how many
--          milliseconds the counter is kept
--
-- Returns {"stands", decision}, {"lost", epoch} if the epoch is another, or {"again", number} if another decision was stored since.

local epoch = redis.call('GET', KEYS[2])
if epoch ~= ARGV[3] then
  if not epoch then -- as in reserve.lua
    epoch = 'lost after ' .. ARGV[3]
    redis.call('SET', KEYS[2], epoch)
  end
  return {'lost', epoch}
end

local stands = redis.call('GET', KEYS[1])
if stands then
  return {'stands', stands}
end

local last = redis.call('GET', KEYS[3]) or '0'
if last ~= ARGV[4] then
  return {'again', last}
end

for n = 4, #KEYS do
  local at = 5 + (n - 4) * 4
  local old = redis.call('ZRANGEBYSCORE', KEYS[n], '-inf', ARGV[at + 2], 'LIMIT', 0, 16)
  if #old > 0 then
    redis.call('ZREMRANGEBYRANK', KEYS[n], 0, #old - 1)
  end
  redis.call('ZADD', KEYS[n], ARGV[at], ARGV[at + 1])
  redis.call('PEXPIRE', KEYS[n], ARGV[at + 3])
end
redis.call('INCR', KEYS[3])
if tonumber(ARGV[2]) > 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[1])
end
return {'stands', ARGV[1]}
