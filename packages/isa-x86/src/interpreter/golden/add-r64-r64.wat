local.get 0
i32.load16_u offset=6
local.tee 2
local.get 1
i32.add
local.tee 3
i64.load
local.set 4
local.get 0
i32.load16_u offset=4
local.tee 5
local.get 1
i32.add
local.tee 6
i64.load
local.tee 7
local.get 4
i64.add
local.set 8
local.get 7
local.get 4
i64.and
local.set 9
local.get 7
local.get 4
i64.or
local.set 10
local.get 8
i64.const -1
i64.xor
local.tee 11
local.get 10
i64.and
local.tee 12
local.get 9
i64.or
local.tee 13
i64.const 32
i64.shr_u
local.tee 14
i32.wrap_i64
local.tee 15
i32.const -1073741824
i32.and
local.set 16
local.get 13
i32.wrap_i64
local.tee 17
i32.const 8
i32.and
local.tee 18
local.get 16
i32.or
local.set 19
local.get 1
local.get 8
i64.store offset=152
local.get 1
local.get 19
i32.store offset=160
local.get 0
i32.load16_u offset=4
local.tee 20
local.get 1
i32.add
local.tee 21
local.get 8
i64.store
local.get 0
i32.const 32
i32.add
local.tee 22
local.get 1
local.get 22
i32.load
local.tee 23
return_call_indirect 0 (type 0)
