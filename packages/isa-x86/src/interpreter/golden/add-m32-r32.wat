local.get 0
i32.load16_u offset=4
local.tee 2
local.get 1
i32.add
local.tee 3
i32.load
local.set 4
local.get 0
i32.load16_u offset=10
local.tee 5
local.get 1
i32.add
local.tee 6
i64.load
local.set 7
local.get 0
i32.load8_u offset=14
local.tee 8
i64.extend_i32_u
local.set 9
local.get 7
local.get 9
i64.shl
local.set 10
local.get 0
i32.load16_u offset=8
local.tee 11
local.get 1
i32.add
local.tee 12
i64.load
local.tee 13
local.get 10
i64.add
local.set 14
local.get 0
i64.load32_s offset=16
local.tee 15
local.get 14
i64.add
local.tee 16
i64.const 12
i64.shr_u
local.tee 17
i32.wrap_i64
local.tee 18
i32.const 8191
i32.and
local.tee 19
i32.const 5
i32.shl
local.set 20
local.get 1
i32.load offset=296
local.tee 21
local.get 20
i32.add
local.set 22
local.get 16
i64.const 3
i64.add
local.tee 23
i64.const -4096
i64.and
local.set 24
local.get 1
i64.load offset=304
local.tee 25
local.get 24
i64.or
local.set 26
local.get 22
i64.load offset=8
local.tee 27
local.get 26
i64.eq
local.tee 28
if
  local.get 16
  i32.wrap_i64
  local.set 31
  local.get 22
  i32.load offset=24
  local.tee 32
  local.get 31
  i32.add
  local.tee 33
  local.tee 29
  local.tee 34
  i32.load
  local.tee 35
  local.set 30
else
  i32.const 0
  local.set 29
  local.get 1
  local.get 0
  local.get 16
  i32.const 4
  call $readForWrite
  local.set 36
  local.get 1
  i32.load offset=224
  local.tee 37
  if
    local.get 0
    local.get 1
    return_call $raise
  end
  local.get 36
  i32.wrap_i64
  local.tee 38
  local.set 30
end
local.get 30
local.tee 39
local.get 4
i32.add
local.set 40
local.get 39
local.get 4
i32.and
local.set 41
local.get 39
local.get 4
i32.or
local.set 42
local.get 40
i32.const -1
i32.xor
local.tee 43
local.get 42
i32.and
local.tee 44
local.get 41
i32.or
local.tee 45
i32.const -1073741816
i32.and
local.set 46
local.get 40
i64.extend_i32_s
local.set 47
local.get 1
local.get 47
i64.store offset=152
local.get 1
local.get 46
i32.store offset=160
local.get 29
local.tee 48
if
  local.get 29
  local.tee 49
  local.get 40
  i32.store
else
  local.get 40
  i64.extend_i32_u
  local.set 50
  local.get 1
  local.get 0
  local.get 16
  i32.const 4
  local.get 50
  call $writeGuest
  local.get 1
  i32.load offset=224
  local.tee 51
  if
    local.get 0
    local.get 1
    return_call $raise
  end
end
local.get 0
i32.const 32
i32.add
local.tee 52
local.get 1
local.get 52
i32.load
local.tee 53
return_call_indirect 0 (type 0)
