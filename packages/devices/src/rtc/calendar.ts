// SPDX-License-Identifier: Apache-2.0
import { ALARM_ANY, HOUR_PM, RegB } from "./registers.js";

/** Broken-down time as the clock registers hold it, all in plain binary. */
export interface ClockFields {
  second: number;
  minute: number;
  hour: number;
  /** 1 is Sunday. */
  dayOfWeek: number;
  day: number;
  month: number;
  year: number;
}

export const DAY_SECONDS = 86_400;

/** Fields of a time in ms since 1970 (UTC). */
export function fieldsOf(ms: number): ClockFields {
  const date = new Date(ms);
  return {
    second: date.getUTCSeconds(),
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    dayOfWeek: date.getUTCDay() + 1,
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    year: date.getUTCFullYear(),
  };
}

/** Time in ms of broken-down fields. Values outside their range carry over into the next field. */
export function msOf(fields: ClockFields): number {
  const date = new Date(0);
  date.setUTCFullYear(fields.year, fields.month - 1, fields.day);
  date.setUTCHours(fields.hour, fields.minute, fields.second);
  return date.getTime();
}

/** Days of a month, 28 to 31. */
export function daysInMonth(year: number, month: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
}

/** A number in the data mode of register B. */
export function encode(value: number, b: number): number {
  return (b & RegB.Binary) !== 0 ? value & 0xff : ((Math.floor(value / 10) % 10) << 4) | (value % 10);
}

export function decode(value: number, b: number): number {
  return (b & RegB.Binary) !== 0 ? value : (value >> 4) * 10 + (value & 15);
}

/** An hour in the data and hour modes of register B. */
export function encodeHour(hour: number, b: number): number {
  if ((b & RegB.Hours24) !== 0) return encode(hour, b);
  return encode(hour % 12 === 0 ? 12 : hour % 12, b) | (hour >= 12 ? HOUR_PM : 0);
}

export function decodeHour(value: number, b: number): number {
  if ((b & RegB.Hours24) !== 0) return decode(value, b);
  return (decode(value & ~HOUR_PM, b) % 12) + ((value & HOUR_PM) !== 0 ? 12 : 0);
}

/**
 * Seconds from `secondOfDay` (exclusive) to the next match of the alarm fields, 1 to 86 400, or -1 if they match no
 * time. `alarm` holds seconds, minutes and hours as written.
 */
export function secondsToAlarm(secondOfDay: number, alarm: readonly [number, number, number], b: number): number {
  const wanted = (value: number, decoded: number, limit: number): number =>
    (value & ALARM_ANY) === ALARM_ANY ? -1 : decoded < limit ? decoded : -2;
  const second = wanted(alarm[0], decode(alarm[0], b), 60);
  const minute = wanted(alarm[1], decode(alarm[1], b), 60);
  const hour = wanted(alarm[2], decodeHour(alarm[2], b), 24);
  if (second === -2 || minute === -2 || hour === -2) return -1;
  // Walk forward field by field: a field that does not match skips to the start of its next unit.
  let at = secondOfDay + 1;
  const end = secondOfDay + DAY_SECONDS;
  while (at <= end) {
    const time = at % DAY_SECONDS;
    if (hour >= 0 && Math.floor(time / 3600) !== hour) at += 3600 - (time % 3600);
    else if (minute >= 0 && Math.floor(time / 60) % 60 !== minute) at += 60 - (time % 60);
    else if (second >= 0 && time % 60 !== second) at += 1;
    else return at - secondOfDay;
  }
  return -1;
}
