local.get 1
i64.load offset=152
local.tee 2
i64.eqz
local.tee 3
i32.eqz
local.tee 4
if
  local.get 0
  i32.load offset=24
  local.tee 5
  i32.const 1
  i32.gt_u
  local.tee 6
  if
    local.get 5
    local.get 1
    local.get 5
    i32.load
    local.tee 7
    return_call_indirect 0 (type 0)
  end
  local.get 0
  i64.load32_s offset=16
  local.set 8
  local.get 1
  i64.load offset=144
  local.tee 9
  local.get 8
  i64.add
  local.set 10
  local.get 1
  local.get 10
  i64.store offset=200
  local.get 0
  local.get 1
  return_call $linkTaken
else
  local.get 0
  i32.load offset=28
  local.tee 11
  i32.const 1
  i32.gt_u
  local.tee 12
  if
    local.get 11
    local.get 1
    local.get 11
    i32.load
    local.tee 13
    return_call_indirect 0 (type 0)
  end
  local.get 0
  i32.load16_u offset=20
  local.set 14
  local.get 0
  i32.load8_u offset=22
  local.tee 15
  local.get 14
  i32.add
  local.set 16
  local.get 1
  i64.load offset=144
  local.set 17
  local.get 16
  i64.extend_i32_u
  local.tee 18
  local.get 17
  i64.add
  local.set 19
  local.get 1
  local.get 19
  i64.store offset=200
  local.get 0
  local.get 1
  return_call $linkNotTaken
end
unreachable
