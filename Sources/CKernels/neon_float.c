// SPDX-License-Identifier: Apache-2.0
//
// NEON float kernels. Rotations and the quantization of activations are left to the compiler's vectorizer.
#include "internal.h"

#if defined(__aarch64__) || defined(CK_EMULATED)
#include <arm_neon.h>
#include <math.h>

typedef float32x4_t VF;
#define VW 4
#define NAME(x) x##_neon

CK_INLINE VF vf_load(const float *p) { return vld1q_f32(p); }
CK_INLINE void vf_store(float *p, VF v) { vst1q_f32(p, v); }
CK_INLINE VF vf_set1(float x) { return vdupq_n_f32(x); }
CK_INLINE VF vf_add(VF a, VF b) { return vaddq_f32(a, b); }
CK_INLINE VF vf_sub(VF a, VF b) { return vsubq_f32(a, b); }
CK_INLINE VF vf_mul(VF a, VF b) { return vmulq_f32(a, b); }
CK_INLINE VF vf_div(VF a, VF b) { return vdivq_f32(a, b); }
CK_INLINE VF vf_fma(VF a, VF b, VF c) { return vfmaq_f32(c, a, b); }
CK_INLINE VF vf_max(VF a, VF b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }  // b where a is not a number
CK_INLINE VF vf_round(VF x) { return vrndnq_f32(x); }
CK_INLINE float vf_sum(VF v) { return vaddvq_f32(v); }
CK_INLINE float vf_largest(VF v) { return vmaxvq_f32(v); }

CK_INLINE VF vf_load_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
CK_INLINE void vf_store_f16(uint16_t *p, VF v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
CK_INLINE VF vf_load_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16(p)), 16)); }

CK_INLINE VF vf_exp2_scale(VF p, VF n) {
    int32x4_t exponent = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(p, vreinterpretq_f32_s32(exponent));
}

CK_INLINE VF vf_zero_below(VF p, VF x, float limit) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(p), vcltq_f32(x, vdupq_n_f32(limit))));
}

CK_INLINE uint32_t vf_equal_bits(VF a, VF b) {
    const uint32x4_t weights = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vceqq_f32(a, b), weights));
}

#include "float_template.h"

void ck_fill_neon_float(ck_table *table) { fill_float_neon(table); }
#endif
