// SPDX-License-Identifier: Apache-2.0
#include "values.h"
#include <string.h>
#include "row.h"

uint64_t random_integer(struct random *r) {
  const uint64_t wobble = (uint64_t)below(r, 3) - 1; // -1, 0, 1
  switch (below(r, 12)) {
    case 0: return 0;
    case 1: return ~0ull - below(r, 3);
    case 2: return below(r, 16);
    case 3: return (1ull << below(r, 64)) + wobble;
    case 4: return 0x7full + wobble;
    case 5: return 0x7fffull + wobble;
    case 6: return 0x7fffffffull + wobble;
    case 7: return 0x7fffffffffffffffull + wobble;
    case 8: return (uint64_t)(int64_t)(int32_t)random_next(r);
    case 9: return (random_next(r) & 0xff) * 0x0101010101010101ull;
    case 10: return random_next(r) >> below(r, 64);
    default: return random_next(r);
  }
}

// A floating-point number of any IEEE-like format, as sign, biased exponent and fraction.
struct parts { bool sign; uint32_t exponent; uint64_t fraction; };

static struct parts random_parts(struct random *r, int exponent_bits, int fraction_bits) {
  const uint32_t maximum = (1u << exponent_bits) - 1, bias = maximum >> 1;
  const uint64_t mask = (1ull << fraction_bits) - 1, quiet = 1ull << (fraction_bits - 1);
  const uint64_t noise = random_next(r) & mask;
  const bool sign = below(r, 2);
  switch (below(r, 18)) {
    case 0: return (struct parts){ sign, 0, 0 };
    case 1: return (struct parts){ sign, maximum, 0 };
    case 2: return (struct parts){ sign, maximum, noise | quiet };
    case 3: return (struct parts){ sign, maximum, (noise & ~quiet) | 1 };
    case 4: return (struct parts){ sign, 0, noise };
    case 5: return (struct parts){ sign, 0, 1ull << below(r, (uint32_t)fraction_bits) };
    case 6: return (struct parts){ sign, bias, 0 };
    case 7: return (struct parts){ sign, bias - 1 + below(r, 3), below(r, 2) ? below(r, 8) : mask - below(r, 8) };
    case 8: return (struct parts){ sign, maximum - 1 - below(r, 2), below(r, 2) ? mask : noise };
    case 9: return (struct parts){ sign, 1 + below(r, 3), below(r, 2) ? 0 : noise };
    case 10: // small integers and halves of them
    case 11: {
      const uint32_t e = below(r, 9);
      return (struct parts){ sign, bias - 1 + e, noise & ~(mask >> (e < (uint32_t)fraction_bits ? e : 0)) };
    }
    case 12: { // around the integer limits of conversions
      static const uint8_t powers[] = { 7, 8, 15, 16, 31, 32, 52, 53, 62, 63, 64 };
      const uint32_t e = bias + powers[below(r, sizeof powers)];
      if (e >= maximum) return (struct parts){ sign, bias + 3, noise };
      return (struct parts){ sign, e - below(r, 2), below(r, 3) ? (below(r, 2) ? mask : 0) : noise };
    }
    case 13: // ties: a one below a run of zeroes
      return (struct parts){ sign, bias + below(r, 24), (noise & ~0xffffull) | (1ull << below(r, 16)) };
    case 14:
    case 15: return (struct parts){ sign, bias - 8 + below(r, 16), noise };
    default: return (struct parts){ sign, (uint32_t)(random_next(r) % maximum), noise };
  }
}

uint32_t random_single(struct random *r) {
  const struct parts p = random_parts(r, 8, 23);
  return (uint32_t)p.sign << 31 | p.exponent << 23 | (uint32_t)(p.fraction & 0x7fffff);
}

uint64_t random_double(struct random *r) {
  const struct parts p = random_parts(r, 11, 52);
  return (uint64_t)p.sign << 63 | (uint64_t)p.exponent << 52 | (p.fraction & 0xfffffffffffffull);
}

static uint16_t random_half(struct random *r) {
  const struct parts p = random_parts(r, 5, 10);
  return (uint16_t)((unsigned)p.sign << 15 | p.exponent << 10 | (p.fraction & 0x3ff));
}

void random_extended(struct random *r, uint8_t out[10]) {
  const struct parts p = random_parts(r, 15, 63);
  uint64_t significand = p.fraction & 0x7fffffffffffffffull;
  // The integer bit is explicit; the forms where it disagrees with the exponent are "unsupported" or pseudo-denormal.
  if (p.exponent != 0 ? !percent(r, 3) : percent(r, 5)) significand |= 1ull << 63;
  if (percent(r, 25)) significand &= ~0ull << below(r, 64);
  if (percent(r, 10)) significand &= ~0ull << 11; // a double's precision
  if (percent(r, 6)) significand |= 0x7ff >> below(r, 3);
  uint16_t top = (uint16_t)((unsigned)p.sign << 15 | p.exponent);
  if (percent(r, 35) && p.exponent != 0 && p.exponent != 0x7fff) {
    top = (uint16_t)((unsigned)p.sign << 15 | (0x3fff - 70 + below(r, 140)));
  }
  memcpy(out, &significand, 8);
  memcpy(out + 8, &top, 2);
}

static void random_bcd(struct random *r, uint8_t out[10]) {
  const uint32_t digits = below(r, 19);
  memset(out, 0, 10);
  for (uint32_t i = 0; i < digits; i++) out[i / 2] |= (uint8_t)(below(r, 10) << (i % 2 ? 4 : 0));
  out[9] = (uint8_t)(below(r, 2) ? 0x80 : 0);
}

uint16_t random_fcw(struct random *r) {
  static const uint8_t precision[] = { 3, 3, 3, 3, 2, 2, 0 }; // 1 is reserved
  uint16_t masks = 0x3f;
  if (percent(r, 30)) masks = (uint16_t)below(r, 64);
  return (uint16_t)(masks | 0x40 | (unsigned)precision[below(r, sizeof precision)] << 8 | below(r, 4) << 10);
}

uint32_t random_mxcsr(struct random *r) {
  // What programs have most of the time: an inexact result changes nothing any more.
  if (percent(r, 25)) return 0x1fa0 | (percent(r, 30) ? below(r, 64) : 0);
  uint32_t value = 0x1f80;
  if (percent(r, 30)) value = below(r, 64) << 7;
  if (percent(r, 25)) value |= below(r, 64);
  if (percent(r, 20)) value |= 0x40; // DAZ
  if (percent(r, 20)) value |= 0x8000; // FTZ
  return value | below(r, 4) << 13;
}

// x87 environments and FXSAVE images that FLDENV, FRSTOR and FXRSTOR may meet.
static void random_environment(struct random *r, int size, uint8_t *out) {
  const bool wide = size == 28 || size == 108;
  const int step = wide ? 4 : 2, environment = wide ? 28 : 14;
  const uint16_t words[3] = { random_fcw(r), (uint16_t)random_next(r), (uint16_t)random_next(r) };
  memset(out, 0, (size_t)size);
  for (int i = 0; i < 3; i++) memcpy(out + i * step, &words[i], 2);
  for (int at = environment; at + 10 <= size; at += 10) random_extended(r, out + at);
}

static void random_fxsave(struct random *r, uint8_t *out) {
  memset(out, 0, 512);
  const uint16_t fcw = random_fcw(r), fsw = (uint16_t)random_next(r);
  const uint32_t mxcsr = random_mxcsr(r) | (percent(r, 5) ? 0x10000 : 0); // a reserved bit: #GP
  memcpy(out, &fcw, 2);
  memcpy(out + 2, &fsw, 2);
  out[4] = (uint8_t)random_next(r);
  memcpy(out + 24, &mxcsr, 4);
  for (int i = 0; i < 8; i++) random_extended(r, out + 32 + 16 * i);
  for (int at = 160; at < 416; at += 8) {
    const uint64_t value = random_next(r);
    memcpy(out + at, &value, 8);
  }
}

// A state-component bitmap: of x87, SSE and AVX, now and then with a bit that stands for nothing.
static uint64_t random_components(struct random *r) {
  return below(r, 8) | (percent(r, 4) ? 1ull << (20 + below(r, 40)) : 0);
}

// An XSAVE area in one of the two formats.
static void random_xsave(struct random *r, uint8_t *out) {
  uint64_t header[8] = { random_components(r) };
  random_fxsave(r, out);
  if (percent(r, 30)) header[1] = 1ull << 63 | (percent(r, 80) ? header[0] | below(r, 8) : random_components(r));
  if (percent(r, 4)) header[1 + below(r, 7)] |= 1ull << below(r, 3); // not reserved everywhere
  memcpy(out + 512, header, sizeof header);
  for (int at = 576; at < 832; at += 8) {
    const uint64_t value = random_next(r);
    memcpy(out + at, &value, 8);
  }
}

void random_value(struct random *r, int kind, int size, uint8_t *out) {
  static const uint8_t other[] = { K_X, K_PS, K_PD };
  uint8_t block[8];
  if ((kind == K_PS || kind == K_PD || kind == K_X || kind == K_XMM) && percent(r, 10)) kind = other[below(r, sizeof other)];
  switch (kind) {
    case K_EXTENDED: random_extended(r, out); return;
    case K_BCD: random_bcd(r, out); return;
    case K_ENVIRONMENT: case K_FSAVE: random_environment(r, size, out); return;
    case K_FXSAVE: random_fxsave(r, out); return;
    case K_XSAVE: random_xsave(r, out); return;
    case K_FCW: { const uint16_t v = random_fcw(r); memcpy(out, &v, 2); return; }
    case K_MXCSR: { const uint32_t v = random_mxcsr(r) | (percent(r, 5) ? 1u << (16 + below(r, 16)) : 0); memcpy(out, &v, 4); return; }
  }
  for (int at = 0; at < size; at += 8) {
    uint64_t value;
    switch (kind) {
      case K_PS: case K_SS: case K_HALF_PS: value = random_single(r) | (uint64_t)random_single(r) << 32; break;
      case K_PD: case K_SD: value = random_double(r); break;
      case K_F16:
        value = random_half(r) | (uint64_t)random_half(r) << 16 | (uint64_t)random_half(r) << 32 | (uint64_t)random_half(r) << 48;
        break;
      default: value = percent(r, 40) ? random_next(r) : random_integer(r); break;
    }
    if (at > 0 && percent(r, 10)) memcpy(&value, out + at - 8, 8); // equal lanes
    memcpy(block, &value, 8);
    memcpy(out + at, block, (size_t)(size - at < 8 ? size - at : 8));
  }
}
