// SPDX-License-Identifier: Apache-2.0
//
// AVX2 float kernels.
#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

CK_BEGIN_TARGET("avx2,fma,f16c")

typedef __m256 VF;
#define VW 8
#define NAME(x) x##_avx2

CK_INLINE VF vf_load(const float *p) { return _mm256_loadu_ps(p); }
CK_INLINE void vf_store(float *p, VF v) { _mm256_storeu_ps(p, v); }
CK_INLINE VF vf_set1(float x) { return _mm256_set1_ps(x); }
CK_INLINE VF vf_add(VF a, VF b) { return _mm256_add_ps(a, b); }
CK_INLINE VF vf_sub(VF a, VF b) { return _mm256_sub_ps(a, b); }
CK_INLINE VF vf_mul(VF a, VF b) { return _mm256_mul_ps(a, b); }
CK_INLINE VF vf_div(VF a, VF b) { return _mm256_div_ps(a, b); }
CK_INLINE VF vf_fma(VF a, VF b, VF c) { return _mm256_fmadd_ps(a, b, c); }
CK_INLINE VF vf_max(VF a, VF b) { return _mm256_max_ps(a, b); }
CK_INLINE VF vf_round(VF x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

CK_INLINE float vf_sum(VF v) {
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps(x, x, 1)));
}

CK_INLINE float vf_largest(VF v) {
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_shuffle_ps(x, x, 1)));
}

CK_INLINE VF vf_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

CK_INLINE void vf_store_f16(uint16_t *p, VF v) {
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

CK_INLINE VF vf_load_bf16(const uint16_t *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}

CK_INLINE VF vf_exp2_scale(VF p, VF n) {
    __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(exponent));
}

CK_INLINE VF vf_zero_below(VF p, VF x, float limit) {
    return _mm256_andnot_ps(_mm256_cmp_ps(x, _mm256_set1_ps(limit), _CMP_LT_OQ), p);
}

CK_INLINE uint32_t vf_equal_bits(VF a, VF b) { return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }

#include "float_template.h"

static void ck_rope_adjacent_avx2(float *x, const float *table, size_t heads, size_t head_size, size_t rotated) {
    for (size_t h = 0; h < heads; h++, x += head_size) {
        size_t i = 0;
        for (; i + 8 <= rotated; i += 8) {
            __m256 v = _mm256_loadu_ps(x + i), t = _mm256_loadu_ps(table + i);
            __m256 crossed = _mm256_mul_ps(_mm256_permute_ps(v, 0xb1), _mm256_movehdup_ps(t));
            _mm256_storeu_ps(x + i, _mm256_fmaddsub_ps(v, _mm256_moveldup_ps(t), crossed));
        }
        for (; i + 1 < rotated; i += 2) {
            float a = x[i], b = x[i + 1];
            x[i] = a * table[i] - b * table[i + 1];
            x[i + 1] = a * table[i + 1] + b * table[i];
        }
    }
}

static void ck_rope_halves_avx2(float *x, const float *table, size_t heads, size_t head_size, size_t rotated) {
    size_t half = rotated / 2;
    for (size_t h = 0; h < heads; h++, x += head_size) {
        size_t i = 0;
        for (; i + 8 <= half; i += 8) {
            __m256 t0 = _mm256_loadu_ps(table + 2 * i), t1 = _mm256_loadu_ps(table + 2 * i + 8);
            __m256 cosine = _mm256_shuffle_ps(t0, t1, 0x88), sine = _mm256_shuffle_ps(t0, t1, 0xdd);
            cosine = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(cosine), 0xd8));
            sine = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(sine), 0xd8));
            __m256 a = _mm256_loadu_ps(x + i), b = _mm256_loadu_ps(x + i + half);
            _mm256_storeu_ps(x + i, _mm256_fmsub_ps(a, cosine, _mm256_mul_ps(b, sine)));
            _mm256_storeu_ps(x + i + half, _mm256_fmadd_ps(a, sine, _mm256_mul_ps(b, cosine)));
        }
        for (; i < half; i++) {
            float a = x[i], b = x[i + half];
            x[i] = a * table[2 * i] - b * table[2 * i + 1];
            x[i + half] = a * table[2 * i + 1] + b * table[2 * i];
        }
    }
}

CK_END_TARGET

void ck_fill_avx2_float(ck_table *table) {
    fill_float_avx2(table);
    table->rope_adjacent = ck_rope_adjacent_avx2;
    table->rope_halves = ck_rope_halves_avx2;
}
#endif
