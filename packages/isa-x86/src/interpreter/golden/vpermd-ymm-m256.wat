local.get 0
i32.load16_u offset=10
local.tee 2
local.get 1
i32.add
local.tee 3
i64.load
local.set 4
local.get 0
i32.load8_u offset=14
local.tee 5
i64.extend_i32_u
local.set 6
local.get 4
local.get 6
i64.shl
local.set 7
local.get 0
i32.load16_u offset=8
local.tee 8
local.get 1
i32.add
local.tee 9
i64.load
local.tee 10
local.get 7
i64.add
local.set 11
local.get 0
i64.load32_s offset=16
local.tee 12
local.get 11
i64.add
local.tee 13
i64.const 12
i64.shr_u
local.tee 16
i32.wrap_i64
local.tee 17
i32.const 8191
i32.and
local.tee 18
i32.const 5
i32.shl
local.set 19
local.get 1
i32.load offset=296
local.tee 20
local.get 19
i32.add
local.set 21
local.get 13
i64.const 31
i64.add
local.tee 22
i64.const -4096
i64.and
local.set 23
local.get 1
i64.load offset=304
local.tee 24
local.get 23
i64.or
local.set 25
local.get 21
i64.load
local.tee 26
local.get 25
i64.eq
local.tee 27
if
  local.get 13
  i32.wrap_i64
  local.set 28
  local.get 21
  i32.load offset=24
  local.tee 29
  local.get 28
  i32.add
  local.tee 30
  v128.load
  local.tee 31
  local.set 14
  local.get 30
  v128.load offset=16
  local.tee 32
  local.set 15
else
  local.get 1
  local.get 0
  local.get 13
  call $readGuest256
  local.get 1
  i32.load offset=224
  local.tee 33
  if
    local.get 0
    local.get 1
    return_call $raise
  end
  local.get 1
  v128.load offset=1344
  local.tee 34
  local.set 14
  local.get 1
  v128.load offset=1360
  local.tee 35
  local.set 15
end
local.get 14
local.set 36
local.get 15
local.set 37
local.get 0
i32.load16_u offset=12
local.tee 38
local.get 1
i32.add
local.tee 39
v128.load
local.set 40
local.get 0
i32.load16_u offset=12
local.tee 41
local.get 1
i32.add
local.tee 42
v128.load offset=16
local.set 43
v128.const 7 0 0 0 7 0 0 0 7 0 0 0 7 0 0 0
local.set 44
local.get 40
local.get 44
v128.and
local.set 45
v128.const 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4
local.set 46
local.get 45
local.get 46
i32x4.mul
local.set 47
v128.const 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3
local.set 48
local.get 47
local.get 48
i8x16.add
local.set 49
v128.const 16 16 16 16 16 16 16 16 16 16 16 16 16 16 16 16
local.set 50
local.get 49
local.get 50
i8x16.sub
local.set 51
local.get 36
local.get 49
i8x16.swizzle
local.set 52
local.get 37
local.get 51
i8x16.swizzle
local.set 53
local.get 52
local.get 53
v128.or
local.set 54
v128.const 7 0 0 0 7 0 0 0 7 0 0 0 7 0 0 0
local.set 55
local.get 43
local.get 55
v128.and
local.set 56
v128.const 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4
local.set 57
local.get 56
local.get 57
i32x4.mul
local.set 58
v128.const 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3
local.set 59
local.get 58
local.get 59
i8x16.add
local.set 60
v128.const 16 16 16 16 16 16 16 16 16 16 16 16 16 16 16 16
local.set 61
local.get 60
local.get 61
i8x16.sub
local.set 62
local.get 36
local.get 60
i8x16.swizzle
local.set 63
local.get 37
local.get 62
i8x16.swizzle
local.set 64
local.get 63
local.get 64
v128.or
local.set 65
local.get 0
i32.load16_u offset=4
local.tee 66
local.get 1
i32.add
local.tee 67
local.get 54
v128.store
local.get 0
i32.load16_u offset=4
local.tee 68
local.get 1
i32.add
local.tee 69
local.get 65
v128.store offset=16
local.get 0
i32.const 32
i32.add
local.tee 70
local.get 1
local.get 70
i32.load
local.tee 71
return_call_indirect 0 (type 0)
