local.get 0
i32.load16_u offset=4
local.tee 2
local.get 1
i32.add
local.tee 3
i64.load
local.set 4
local.get 1
i64.load offset=32
local.tee 5
i64.const -8
i64.add
local.tee 6
i64.const 12
i64.shr_u
local.tee 7
i32.wrap_i64
local.tee 8
i32.const 8191
i32.and
local.tee 9
i32.const 5
i32.shl
local.set 10
local.get 1
i32.load offset=296
local.tee 11
local.get 10
i32.add
local.set 12
local.get 6
i64.const 7
i64.add
local.tee 13
i64.const -4096
i64.and
local.set 14
local.get 1
i64.load offset=304
local.tee 15
local.get 14
i64.or
local.set 16
local.get 12
i64.load offset=8
local.tee 17
local.get 16
i64.eq
local.tee 18
if
  local.get 6
  i32.wrap_i64
  local.set 19
  local.get 12
  i32.load offset=24
  local.tee 20
  local.get 19
  i32.add
  local.tee 21
  local.get 4
  i64.store
else
  local.get 1
  local.get 0
  local.get 6
  i32.const 264
  local.get 4
  call $writeGuest
  local.get 1
  i32.load offset=224
  local.tee 22
  if
    local.get 0
    local.get 1
    return_call $raise
  end
end
local.get 1
local.get 6
i64.store offset=32
local.get 0
i32.const 32
i32.add
local.tee 23
local.get 1
local.get 23
i32.load
local.tee 24
return_call_indirect 0 (type 0)
