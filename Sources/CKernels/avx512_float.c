// SPDX-License-Identifier: Apache-2.0
//
// AVX-512 float kernels. The rotations stay with AVX2: they are not worth wider vectors.
#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

CK_BEGIN_TARGET("avx2,fma,f16c,avx512f,avx512bw,avx512vl")

typedef __m512 VF;
#define VW 16
#define NAME(x) x##_avx512

CK_INLINE VF vf_load(const float *p) { return _mm512_loadu_ps(p); }
CK_INLINE void vf_store(float *p, VF v) { _mm512_storeu_ps(p, v); }
CK_INLINE VF vf_set1(float x) { return _mm512_set1_ps(x); }
CK_INLINE VF vf_add(VF a, VF b) { return _mm512_add_ps(a, b); }
CK_INLINE VF vf_sub(VF a, VF b) { return _mm512_sub_ps(a, b); }
CK_INLINE VF vf_mul(VF a, VF b) { return _mm512_mul_ps(a, b); }
CK_INLINE VF vf_div(VF a, VF b) { return _mm512_div_ps(a, b); }
CK_INLINE VF vf_fma(VF a, VF b, VF c) { return _mm512_fmadd_ps(a, b, c); }
CK_INLINE VF vf_max(VF a, VF b) { return _mm512_max_ps(a, b); }
CK_INLINE VF vf_round(VF x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT); }

CK_INLINE __m256 lower_half(VF v) { return _mm512_castps512_ps256(v); }
CK_INLINE __m256 upper_half(VF v) { return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)); }

CK_INLINE float vf_sum(VF v) {
    __m256 half = _mm256_add_ps(lower_half(v), upper_half(v));
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps(x, x, 1)));
}

CK_INLINE float vf_largest(VF v) {
    __m256 half = _mm256_max_ps(lower_half(v), upper_half(v));
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_shuffle_ps(x, x, 1)));
}

CK_INLINE VF vf_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }

CK_INLINE void vf_store_f16(uint16_t *p, VF v) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

CK_INLINE VF vf_load_bf16(const uint16_t *p) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

CK_INLINE VF vf_exp2_scale(VF p, VF n) { return _mm512_scalef_ps(p, n); }

CK_INLINE VF vf_zero_below(VF p, VF x, float limit) {
    return _mm512_mask_mov_ps(p, _mm512_cmp_ps_mask(x, _mm512_set1_ps(limit), _CMP_LT_OQ), _mm512_setzero_ps());
}

CK_INLINE uint32_t vf_equal_bits(VF a, VF b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }

#include "float_template.h"

CK_END_TARGET

void ck_fill_avx512_float(ck_table *table) { fill_float_avx512(table); }
#endif
