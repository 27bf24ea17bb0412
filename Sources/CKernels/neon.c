// SPDX-License-Identifier: Apache-2.0
//
// Products with quantized weights on arm64 with the dot product instructions.
#include "internal.h"

#if defined(__aarch64__) || defined(CK_EMULATED)
#include <arm_neon.h>

CK_BEGIN_TARGET("dotprod")

typedef int32x4_t VI;
typedef float32x4_t VF;
#define VR 4
#define PARTS 4
#define TILE_ROWS 4
#define SIGNED_DOT 1
#define VARIANT(x) x##_neon

CK_INLINE uint16x8_t as_halves(VI a) { return vreinterpretq_u16_s32(a); }
CK_INLINE VI vi_load(const uint8_t *p) { return vreinterpretq_s32_u8(vld1q_u8(p)); }
CK_INLINE VI vi_and(VI a, VI b) { return vandq_s32(a, b); }
CK_INLINE VI vi_or(VI a, VI b) { return vorrq_s32(a, b); }
CK_INLINE VI vi_left(VI a, int n) { return vreinterpretq_s32_u16(vshlq_u16(as_halves(a), vdupq_n_s16((int16_t)n))); }
CK_INLINE VI vi_right(VI a, int n) { return vreinterpretq_s32_u16(vshlq_u16(as_halves(a), vdupq_n_s16((int16_t)-n))); }
CK_INLINE VI vi_bytes(int8_t b) { return vreinterpretq_s32_s8(vdupq_n_s8(b)); }
CK_INLINE VI vi_halves(int16_t h) { return vreinterpretq_s32_s16(vdupq_n_s16(h)); }
CK_INLINE VI vi_words(int32_t w) { return vdupq_n_s32(w); }
CK_INLINE VI vi_dot(VI sum, VI u, VI s) { return vdotq_s32(sum, vreinterpretq_s8_s32(u), vreinterpretq_s8_s32(s)); }

CK_INLINE VI vi_madd(VI a, VI b) {
    int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
    return vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_s16(vget_high_s16(x), vget_high_s16(y)));
}

CK_INLINE VI vi_multiply(VI a, VI b) { return vmulq_s32(a, b); }
CK_INLINE VI vi_add(VI a, VI b) { return vaddq_s32(a, b); }
CK_INLINE VF vi_to_float(VI a) { return vcvtq_f32_s32(a); }

CK_INLINE VI vi_bytes_u8(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, 4);
    uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(word)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide)));
}

CK_INLINE VI vi_bytes_i8(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, 4);
    int16x8_t wide = vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(word)));
    return vmovl_s16(vget_low_s16(wide));
}

CK_INLINE VI vi_lookup(VI a) {
    return vreinterpretq_s32_s8(vqtbl1q_s8(vld1q_s8(ck_iq4_values), vreinterpretq_u8_s32(a)));
}

/// Splits 4 pairs of signed bytes into two vectors of 32-bit numbers.
CK_INLINE void vi_pairs_i8(const uint8_t *p, VI *first, VI *second) {
    int32x4_t pairs = vmovl_s16(vreinterpret_s16_u8(vld1_u8(p)));
    *first = vshrq_n_s32(vshlq_n_s32(pairs, 24), 24);
    *second = vshrq_n_s32(pairs, 8);
}

CK_INLINE VF vf_f16(const uint8_t *p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)(const void *)p)));
}

CK_INLINE VF vf_zero(void) { return vdupq_n_f32(0); }
CK_INLINE VF vf_all(const float *p) { return vdupq_n_f32(*p); }
CK_INLINE VF vf_times(VF a, VF b) { return vmulq_f32(a, b); }
CK_INLINE VF vf_plus_product(VF a, VF b, VF c) { return vfmaq_f32(c, a, b); }
CK_INLINE VF vf_minus_product(VF a, VF b, VF c) { return vfmaq_f32(c, vnegq_f32(a), b); }
CK_INLINE void vf_put(float *p, VF v) { vst1q_f32(p, v); }

#include "vnni_template.h"

CK_END_TARGET

void ck_fill_neon(ck_table *table) { fill_tiles(table); }
#endif
