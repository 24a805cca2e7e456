-- What wrk sends, and its figures as one line of JSON. Environment: BENCH_TOKEN (with it look-alikes of
-- random pictures are asked for, else the address as it is), BENCH_ITEMS, BENCH_BODY (more members of the
-- request's body).
local token, items = os.getenv("BENCH_TOKEN"), tonumber(os.getenv("BENCH_ITEMS") or "1")
local more = os.getenv("BENCH_BODY") or ""
local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

-- Requests are made beforehand: wrk takes its time from the same cores.
local made, at = {}, 0

function init()
   if not token then return end
   math.randomseed(1000 + number)
   for i = 1, 32768 do -- more than the cache of answers keeps
      local body = string.format('{"image_id": %d, "limit": 10%s}', math.random(items), more)
      made[i] = wrk.format("POST", "/api/search/similar",
         {["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token}, body)
   end
   request = function()
      at = at % #made + 1
      return made[at]
   end
end

function done(summary, latency)
   local e = summary.errors
   io.write(string.format('{"requests": %d, "per_s": %.1f, "median_ms": %.4f, "p99_ms": %.4f, "bytes": %d, '
      .. '"failed": %d}\n', summary.requests, summary.requests / summary.duration * 1e6,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.bytes,
      e.connect + e.read + e.write + e.status + e.timeout))
end
