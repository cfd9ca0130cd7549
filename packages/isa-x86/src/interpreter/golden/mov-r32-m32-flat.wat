local.get 0
i32.load16_u offset=10
local.tee 2
local.get 1
i32.add
local.tee 3
i32.load
local.set 4
local.get 0
i32.load8_u offset=14
local.set 5
local.get 4
local.get 5
i32.shl
local.set 6
local.get 0
i32.load16_u offset=8
local.tee 7
local.get 1
i32.add
local.tee 8
i32.load
local.tee 9
local.get 6
i32.add
local.set 10
local.get 0
i32.load offset=16
local.tee 11
local.get 10
i32.add
local.tee 12
i64.extend_i32_u
local.tee 13
i64.const 12
i64.shr_u
local.tee 15
i32.wrap_i64
local.tee 16
i32.const 8191
i32.and
local.tee 17
i32.const 5
i32.shl
local.set 18
local.get 1
i32.load offset=296
local.tee 19
local.get 18
i32.add
local.set 20
local.get 13
i64.const 3
i64.add
local.tee 21
i64.const -4096
i64.and
local.set 22
local.get 1
i64.load offset=304
local.tee 23
local.get 22
i64.or
local.set 24
local.get 20
i64.load
local.tee 25
local.get 24
i64.eq
local.tee 26
if
  local.get 13
  i32.wrap_i64
  local.set 27
  local.get 20
  i32.load offset=24
  local.tee 28
  local.get 27
  i32.add
  local.tee 29
  i32.load
  local.tee 30
  local.set 14
else
  local.get 1
  local.get 0
  local.get 13
  i32.const 4
  call $readGuest
  local.set 31
  local.get 1
  i32.load offset=224
  local.tee 32
  if
    local.get 0
    local.get 1
    return_call $raise
  end
  local.get 31
  i32.wrap_i64
  local.tee 33
  local.set 14
end
local.get 14
local.set 34
local.get 0
i32.load16_u offset=4
local.tee 35
local.get 1
i32.add
local.set 36
local.get 34
i64.extend_i32_u
local.set 37
local.get 36
local.get 37
i64.store
local.get 0
i32.const 32
i32.add
local.tee 38
local.get 1
local.get 38
i32.load
local.tee 39
return_call_indirect 0 (type 0)
