// SPDX-License-Identifier: Apache-2.0
//
// AVX2 products with quantized weights.
//
// A register holds 4 columns of 8 rows; the same 4 columns of an activation row are broadcast. vpmaddubsw multiplies
// unsigned quants by signed activations into 16-bit pair sums, of which as many are added in 16 bits as cannot overflow:
// 8 for 4-bit quants (8 * 2 * 15 * 128 = 30720), 4 for 5-bit (31744), 2 for 6-bit (32256). vpmaddwd then widens them, and
// multiplies by the integer scale where the format has one.
#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

CK_BEGIN_TARGET("avx2,fma,f16c")

/// Per activation row of a tile: where its parts start.
typedef struct {
    const int8_t *quants;
    const float *scales, *sums;
    const int16_t *halves;
} act_row;

CK_INLINE __m256i broadcast4(const void *p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm256_set1_epi32(word);
}

CK_INLINE __m256 load_f16(const uint8_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

/// Unpacks line p, rows 8 h to 8 h + 7: the quants of chunk p (side 0) or chunk p + 4 (side 1).
CK_INLINE __m256i unpack_line(const int bits, const uint8_t *quants, int p, int side, int h) {
    if (bits < 4) {
        __m256i pairs = _mm256_load_si256((const __m256i *)(quants + 64 * side + 32 * h));
        pairs = _mm256_and_si256(_mm256_srli_epi16(pairs, 2 * p), _mm256_set1_epi8(3));
        if (bits == 2) return pairs;
        __m256i top = _mm256_load_si256((const __m256i *)(quants + 128 + 32 * h));
        int c = 4 * side + p;
        top = c < 2 ? _mm256_slli_epi16(top, 2 - c) : _mm256_srli_epi16(top, c - 2);
        return _mm256_or_si256(pairs, _mm256_and_si256(top, _mm256_set1_epi8(4)));
    }
    __m256i q = _mm256_load_si256((const __m256i *)(quants + 64 * p + 32 * h));
    if (side == 1) q = _mm256_srli_epi16(q, 4);
    q = _mm256_and_si256(q, _mm256_set1_epi8(15));
    if (bits == 5) {
        __m256i top = _mm256_load_si256((const __m256i *)(quants + 256 + 32 * h));
        top = side == 0 ? _mm256_slli_epi16(top, 4 - p) : _mm256_srli_epi16(top, p);
        q = _mm256_or_si256(q, _mm256_and_si256(top, _mm256_set1_epi8(16)));
    } else if (bits == 6) {
        __m256i top = _mm256_load_si256((const __m256i *)(quants + 256 + 64 * side + 32 * h));
        top = p < 2 ? _mm256_slli_epi16(top, 4 - 2 * p) : _mm256_srli_epi16(top, 2 * p - 4);
        q = _mm256_or_si256(q, _mm256_and_si256(top, _mm256_set1_epi8(48)));
    }
    return q;
}

CK_INLINE void tile(const int slot, const int rows, const ck_layout *layout, const uint8_t *group,
                    const uint8_t *activations, size_t stride, float *out, size_t out_stride) {
    const int bits = ck_slot_bits(slot), kind = ck_slot_scale(slot);
    const size_t blocks = layout->blocks;
    const bool split = ck_slot_is_split(slot);
    const __m256i ones = _mm256_set1_epi16(1);
    const __m256i table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)ck_iq4_values));
    __m256 acc[2][4];
    act_row act[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        const uint8_t *row = activations + (size_t)i * stride;
        act[i] = (act_row){(const int8_t *)row, ck_act_scales(row, blocks), ck_act_sums(row, blocks),
                           ck_act_halves(row, blocks)};
        acc[0][i] = acc[1][i] = _mm256_setzero_ps();
    }
    const uint8_t *quants = group, *scales = group + layout->scales_offset;
    for (size_t b = 0; b < blocks; b++, quants += bits * 64, scales += layout->scale_bytes) {
        const uint8_t *super = group + layout->supers_offset + b / 8 * layout->super_bytes;
        // The stream of quants runs on in the next group, behind this one's scales. Of several rows the first ones wait
        // for it as a single one does: without this, products of 2 to 8 rows are 20 to 80 % slower, of 64 no faster.
        const size_t ahead = CK_PREFETCH_BYTES / (bits * 64);
        const uint8_t *next = quants + CK_PREFETCH_BYTES / (bits * 64) * bits * 64;
        if (b + ahead >= blocks) next += layout->group_bytes - layout->scales_offset;
#pragma clang loop unroll(full)
        for (int l = 0; l < bits; l++) _mm_prefetch((const char *)next + 64 * l, _MM_HINT_T0);
        _mm_prefetch((const char *)scales + layout->group_bytes, _MM_HINT_T0);
        __m256i sum[2][4];
        __m256i min_sum[2][4];  // Q2_K: the integer mins times the activation sums
        __m256i factor[2][2];  // what widening multiplies by: 1, or the integer scale of the row
#pragma clang loop unroll(full)
        for (int h = 0; h < 2; h++) {
            factor[h][0] = factor[h][1] = ones;
            if (kind == CK_SCALE_K) {
                __m128i bytes = _mm_loadl_epi64((const __m128i *)(scales + 8 * h));
                factor[h][0] = factor[h][1] = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(bytes, bytes));
            } else if (kind == CK_SCALE_K2) {
                __m128i bytes = _mm_load_si128((const __m128i *)(scales + 16 * h));
                const __m128i nibble = _mm_set1_epi8(15);
                __m256i pairs = _mm256_cvtepi8_epi16(_mm_and_si128(bytes, nibble));
                factor[h][0] = _mm256_blend_epi16(pairs, _mm256_slli_epi32(pairs, 16), 0xaa);
                factor[h][1] = _mm256_blend_epi16(_mm256_srli_epi32(pairs, 16), pairs, 0xaa);
                pairs = _mm256_cvtepi8_epi16(_mm_and_si128(_mm_srli_epi16(bytes, 4), nibble));
#pragma clang loop unroll(full)
                for (int i = 0; i < rows; i++) min_sum[h][i] = _mm256_madd_epi16(pairs, broadcast4(act[i].halves + 2 * b));
            } else if (kind == CK_SCALE_K6) {
                __m256i pairs = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(scales + 16 * h)));
                factor[h][0] = _mm256_blend_epi16(pairs, _mm256_slli_epi32(pairs, 16), 0xaa);
                factor[h][1] = _mm256_blend_epi16(_mm256_srli_epi32(pairs, 16), pairs, 0xaa);
#pragma clang loop unroll(full)
                for (int i = 0; i < rows; i++) {
                    __m256i offset = _mm256_madd_epi16(pairs, broadcast4(act[i].halves + 2 * b));
                    sum[h][i] = _mm256_slli_epi32(_mm256_sub_epi32(_mm256_setzero_si256(), offset), ck_slot_shift(slot));
                }
            }
        }
        if (bits == 8 || ck_slot_is_table(slot)) {
            // One half of the rows after the other, and not unrolled: all sums of a half stay in registers.
#pragma clang loop unroll(full)
            for (int h = 0; h < 2; h++) {
#pragma clang loop unroll(full)
                for (int i = 0; i < rows; i++) sum[h][i] = _mm256_setzero_si256();
#pragma clang loop unroll(full)
                for (int side = 0; side < 2; side++)
#pragma clang loop unroll(disable)
                    for (int p = 0; p < 4; p++) {
                        int c = 4 * side + p;
                        __m256i w = bits == 8 ? _mm256_load_si256((const __m256i *)(quants + 64 * c + 32 * h))
                                              : _mm256_shuffle_epi8(table, unpack_line(bits, quants, p, side, h));
                        __m256i m = _mm256_abs_epi8(w);
#pragma clang loop unroll(full)
                        for (int i = 0; i < rows; i++) {
                            __m256i a = broadcast4(act[i].quants + b * 32 + 4 * c);
                            __m256i sums = _mm256_madd_epi16(_mm256_maddubs_epi16(m, _mm256_sign_epi8(a, w)), ones);
                            sum[h][i] = _mm256_add_epi32(sum[h][i], sums);
                        }
                    }
            }
        } else {
            const int lines = bits <= 4 ? 4 : 2;  // lines whose sums fit in 16 bits
#pragma clang loop unroll(full)
            for (int first = 0; first < 4; first += lines) {
                __m256i low_sum[2][4], high_sum[2][4];  // kept apart only where the halves of a block have two scales
#pragma clang loop unroll(full)
                for (int p = first; p < first + lines; p++)
#pragma clang loop unroll(full)
                    for (int side = 0; side < 2; side++) {  // low, then high nibbles: two weight registers live at a time
                        __m256i w0 = unpack_line(bits, quants, p, side, 0), w1 = unpack_line(bits, quants, p, side, 1);
#pragma clang loop unroll(full)
                        for (int i = 0; i < rows; i++) {
                            __m256i a = broadcast4(act[i].quants + b * 32 + 16 * side + 4 * p);
                            __m256i p0 = _mm256_maddubs_epi16(w0, a), p1 = _mm256_maddubs_epi16(w1, a);
                            __m256i(*target)[4] = split && side == 1 ? high_sum : low_sum;
                            bool fresh = p == first && (side == 0 || split);
                            target[0][i] = fresh ? p0 : _mm256_add_epi16(target[0][i], p0);
                            target[1][i] = fresh ? p1 : _mm256_add_epi16(target[1][i], p1);
                        }
                    }
#pragma clang loop unroll(full)
                for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
                    for (int h = 0; h < 2; h++) {
                        __m256i wide = _mm256_madd_epi16(low_sum[h][i], factor[h][0]);
                        if (split) wide = _mm256_add_epi32(wide, _mm256_madd_epi16(high_sum[h][i], factor[h][1]));
                        bool fresh = first == 0 && kind != CK_SCALE_K6;
                        sum[h][i] = fresh ? wide : _mm256_add_epi32(sum[h][i], wide);
                    }
            }
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < 2; h++) {
            __m256 d = load_f16((ck_slot_is_flat(slot) ? scales : super) + 16 * h), min = d;
            if (kind == CK_SCALE_K2) min = load_f16(super + 32 + 16 * h);
            if (kind == CK_SCALE_KS) {
                __m128i bytes = _mm_loadl_epi64((const __m128i *)(scales + 8 * h));
                d = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)));
            }
            if (kind == CK_SCALE_DM) min = load_f16(scales + 32 + 16 * h);
            if (kind == CK_SCALE_K) {
                __m128i bytes = _mm_loadl_epi64((const __m128i *)(scales + 16 + 8 * h));
                min = _mm256_mul_ps(load_f16(super + 32 + 16 * h), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)));
            }
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                __m256i total = sum[h][i];
                if (ck_slot_offset(slot) != 0) {
                    const __m256i offset = _mm256_set1_epi16((int16_t)ck_slot_offset(slot));
                    total = _mm256_sub_epi32(total, _mm256_madd_epi16(broadcast4(act[i].halves + 2 * b), offset));
                }
                __m256 scale = _mm256_mul_ps(d, _mm256_broadcast_ss(act[i].scales + b));
                acc[h][i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(total), scale, acc[h][i]);
                if (kind == CK_SCALE_DM)
                    acc[h][i] = _mm256_fmadd_ps(min, _mm256_broadcast_ss(act[i].sums + b), acc[h][i]);
                if (kind == CK_SCALE_K)
                    acc[h][i] = _mm256_fnmadd_ps(min, _mm256_broadcast_ss(act[i].sums + b), acc[h][i]);
                if (kind == CK_SCALE_K2) {
                    __m256 factor_a = _mm256_mul_ps(min, _mm256_broadcast_ss(act[i].scales + b));
                    acc[h][i] = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(min_sum[h][i]), factor_a, acc[h][i]);
                }
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        _mm256_storeu_ps(out + (size_t)i * out_stride, acc[0][i]);
        _mm256_storeu_ps(out + (size_t)i * out_stride + 8, acc[1][i]);
    }
}

#define TILE(SLOT, ROWS, NAME)                                                                                        \
    static void NAME(const ck_layout *layout, const uint8_t *group, const uint8_t *activations, size_t stride,        \
                     float *out, size_t out_stride) {                                                                 \
        tile(SLOT, ROWS, layout, group, activations, stride, out, out_stride);                                        \
    }
#define TILES(SLOT, NAME)                                                                                             \
    TILE(SLOT, 1, ck_tile1_##NAME##_avx2)                                                                             \
    TILE(SLOT, 2, ck_tile2_##NAME##_avx2)                                                                             \
    TILE(SLOT, 3, ck_tile3_##NAME##_avx2)                                                                             \
    TILE(SLOT, 4, ck_tile4_##NAME##_avx2)
TILES(CK_SLOT_Q4_0, q4_0)
TILES(CK_SLOT_Q4_1, q4_1)
TILES(CK_SLOT_Q5_0, q5_0)
TILES(CK_SLOT_Q5_1, q5_1)
TILES(CK_SLOT_Q8_0, q8_0)
TILES(CK_SLOT_Q4_K, q4_k)
TILES(CK_SLOT_Q5_K, q5_k)
TILES(CK_SLOT_Q6_K, q6_k)
TILES(CK_SLOT_Q2_K, q2_k)
TILES(CK_SLOT_Q3_K, q3_k)
TILES(CK_SLOT_IQ4_NL, iq4_nl)
TILES(CK_SLOT_IQ4_XS, iq4_xs)

static void ck_quantize_row_avx2(const float *x, size_t k, uint8_t *row) {
    size_t blocks = k / 32;
    float *scales = (float *)ck_act_scales(row, blocks), *sums = (float *)ck_act_sums(row, blocks);
    int16_t *halves = (int16_t *)ck_act_halves(row, blocks);
    const __m256 sign = _mm256_set1_ps(-0.0f);
    for (size_t b = 0; b < blocks; b++, x += 32) {
        __m256 v[4], largest = _mm256_setzero_ps();
        for (int i = 0; i < 4; i++) {
            v[i] = _mm256_loadu_ps(x + 8 * i);
            largest = _mm256_max_ps(_mm256_andnot_ps(sign, v[i]), largest);  // a NaN gives the second operand
        }
        __m128 top = _mm_max_ps(_mm256_castps256_ps128(largest), _mm256_extractf128_ps(largest, 1));
        top = _mm_max_ps(top, _mm_movehl_ps(top, top));
        float amax = _mm_cvtss_f32(_mm_max_ss(top, _mm_shuffle_ps(top, top, 1)));
        float scale = amax / 127;
        __m256 inverse = _mm256_set1_ps(amax > CK_SMALLEST_ACTIVATION ? 127 / amax : 0);
        __m256i q[4];
        for (int i = 0; i < 4; i++) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse));
        // The packs work within 128-bit lanes; the permutation puts the 4-byte pieces back in order.
        __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
        bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        _mm256_store_si256((__m256i *)(row + 32 * b), bytes);
        __m256i pairs = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes), _mm256_set1_epi16(1));
        pairs = _mm256_hadd_epi32(pairs, pairs);
        pairs = _mm256_hadd_epi32(pairs, pairs);
        int first = _mm_cvtsi128_si32(_mm256_castsi256_si128(pairs));
        int second = _mm_cvtsi128_si32(_mm256_extracti128_si256(pairs, 1));
        scales[b] = scale;
        sums[b] = scale * (float)(first + second);
        halves[2 * b] = (int16_t)first;
        halves[2 * b + 1] = (int16_t)second;
    }
}

CK_END_TARGET

void ck_fill_avx2(ck_table *table) {
#define ROW(SLOT, NAME)                                                                                               \
    table->tile_rows[SLOT] = 4;                                                                                       \
    table->tile[SLOT][0] = ck_tile1_##NAME##_avx2;                                                                    \
    table->tile[SLOT][1] = ck_tile2_##NAME##_avx2;                                                                    \
    table->tile[SLOT][2] = ck_tile3_##NAME##_avx2;                                                                    \
    table->tile[SLOT][3] = ck_tile4_##NAME##_avx2;
    ROW(CK_SLOT_Q4_0, q4_0)
    ROW(CK_SLOT_Q4_1, q4_1)
    ROW(CK_SLOT_Q5_0, q5_0)
    ROW(CK_SLOT_Q5_1, q5_1)
    ROW(CK_SLOT_Q8_0, q8_0)
    ROW(CK_SLOT_Q4_K, q4_k)
    ROW(CK_SLOT_Q5_K, q5_k)
    ROW(CK_SLOT_Q6_K, q6_k)
    ROW(CK_SLOT_Q2_K, q2_k)
    ROW(CK_SLOT_Q3_K, q3_k)
    ROW(CK_SLOT_IQ4_NL, iq4_nl)
    ROW(CK_SLOT_IQ4_XS, iq4_xs)
#undef ROW
    table->quantize_row = ck_quantize_row_avx2;
}
#endif
