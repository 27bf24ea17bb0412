// SPDX-License-Identifier: Apache-2.0
//
// AVX2 products with quantized weights for many activation rows.
//
// The tiles of avx2.c are bound by the number of instructions: each broadcast of 4 activations serves only two products.
// Here a panel of 8 activation rows is broadcast into memory once, for all groups of weights, and a product takes its
// activations as a memory operand: 8 unpacked weight registers stay live over the 8 rows, and a product of 256
// multiply-adds is 8 vpmaddubsw, 7 vpaddw and 5 or 6 instructions to widen and scale. Columns are taken 256 at a time, so
// that the panel stays in the first-level cache. Measured on Zen 3 against the tiles: 3 to 13 % more for 4-bit formats,
// 20 % for Q5 and Q6_K, 25 % and more for Q2_K and Q3_K. For Q8_0 the tiles are faster, so it has no panels. Nor have
// IQ4_NL and IQ4_XS, whose values are signed and too large for two products in 16 bits: activations of 16 bits for
// vpmaddwd, and values taken apart into two nibbles, both as panels, were no faster than the tiles. Unrolling the loop
// over the rows loses 1 to 10 %.
#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

CK_BEGIN_TARGET("avx2,fma,f16c")

enum { PANEL_BLOCKS = 8 };

/// Activations of a panel, each number filling a register.
typedef struct {
    __m256i quants[PANEL_BLOCKS][CK_PANEL_ROWS][8];
    __m256 scales[PANEL_BLOCKS][CK_PANEL_ROWS];
    __m256 sums[PANEL_BLOCKS][CK_PANEL_ROWS];
    __m256i halves[PANEL_BLOCKS][CK_PANEL_ROWS];
} panel;

CK_INLINE __m256i broadcast4(const void *p) {
    int32_t word;
    memcpy(&word, p, 4);
    return _mm256_set1_epi32(word);
}

CK_INLINE void fill_panel(const int slot, panel *panel, const uint8_t *activations, size_t stride, size_t all_blocks,
                          size_t first, size_t blocks) {
    const int kind = ck_slot_scale(slot);
    for (size_t i = 0; i < CK_PANEL_ROWS; i++, activations += stride) {
        for (size_t b = 0; b < blocks; b++) {
            for (size_t c = 0; c < 8; c++) panel->quants[b][i][c] = broadcast4(activations + (first + b) * 32 + 4 * c);
            panel->scales[b][i] = _mm256_set1_ps(ck_act_scales(activations, all_blocks)[first + b]);
            if (kind == CK_SCALE_DM || kind == CK_SCALE_K)
                panel->sums[b][i] = _mm256_set1_ps(ck_act_sums(activations, all_blocks)[first + b]);
            if (ck_slot_is_split(slot) || ck_slot_offset(slot) != 0)
                panel->halves[b][i] = broadcast4(ck_act_halves(activations, all_blocks) + 2 * (first + b));
        }
    }
}

CK_INLINE __m256 load_f16(const uint8_t *p) { return _mm256_cvtph_ps(_mm_load_si128((const __m128i *)p)); }

/// Chunks 0 to 7 of rows 8 h to 8 h + 7 as unsigned bytes.
CK_INLINE void unpack(const int bits, const uint8_t *quants, int h, __m256i *w) {
    const __m256i nibble = _mm256_set1_epi8(15);
    quants += 32 * h;
    if (bits < 4) {
        const __m256i low = _mm256_set1_epi8(3), third = _mm256_set1_epi8(4);
#pragma clang loop unroll(full)
        for (int c = 0; c < 8; c++) {
            __m256i line = _mm256_load_si256((const __m256i *)(quants + 64 * (c / 4)));
            w[c] = _mm256_and_si256(_mm256_srli_epi16(line, c % 4 * 2), low);
            if (bits == 2) continue;
            __m256i top = _mm256_load_si256((const __m256i *)(quants + 128));
            top = c < 2 ? _mm256_slli_epi16(top, 2 - c) : _mm256_srli_epi16(top, c - 2);
            w[c] = _mm256_or_si256(w[c], _mm256_and_si256(top, third));
        }
        return;
    }
#pragma clang loop unroll(full)
    for (int p = 0; p < 4; p++) {
        __m256i line = _mm256_load_si256((const __m256i *)(quants + 64 * p));
        w[p] = _mm256_and_si256(line, nibble);
        w[p + 4] = _mm256_and_si256(_mm256_srli_epi16(line, 4), nibble);
    }
    if (bits == 5) {
        const __m256i fifth = _mm256_set1_epi8(16);
        __m256i top = _mm256_load_si256((const __m256i *)(quants + 256));
#pragma clang loop unroll(full)
        for (int p = 0; p < 4; p++) {
            w[p] = _mm256_or_si256(w[p], _mm256_and_si256(_mm256_slli_epi16(top, 4 - p), fifth));
            w[p + 4] = _mm256_or_si256(w[p + 4], _mm256_and_si256(_mm256_srli_epi16(top, p), fifth));
        }
    } else if (bits == 6) {
        const __m256i pair = _mm256_set1_epi8(48);
#pragma clang loop unroll(full)
        for (int c = 0; c < 8; c++) {
            __m256i top = _mm256_load_si256((const __m256i *)(quants + 256 + 64 * (c / 4)));
            int p = c % 4;
            top = p < 2 ? _mm256_slli_epi16(top, 4 - 2 * p) : _mm256_srli_epi16(top, 2 * p - 4);
            w[c] = _mm256_or_si256(w[c], _mm256_and_si256(top, pair));
        }
    }
}

CK_INLINE __m256i product(__m256i w, const __m256i *a) { return _mm256_maddubs_epi16(w, _mm256_load_si256(a)); }

// Sums of 2, 4 and 8 products in 16 bits, as trees: chains of additions are too long for the scheduler to overlap.

CK_INLINE __m256i products2(const __m256i *w, const __m256i *a) {
    return _mm256_add_epi16(product(w[0], a), product(w[1], a + 1));
}

CK_INLINE __m256i products4(const __m256i *w, const __m256i *a) {
    return _mm256_add_epi16(products2(w, a), products2(w + 2, a + 2));
}

CK_INLINE __m256i products8(const __m256i *w, const __m256i *a) {
    return _mm256_add_epi16(products4(w, a), products4(w + 4, a + 4));
}

/// One group by one panel over `blocks` blocks: adds to sums[i][r].
CK_INLINE void panel_group(const int slot, const ck_layout *layout, const uint8_t *group, size_t first, size_t blocks,
                           const panel *panel, float (*sums)[16]) {
    const int bits = ck_slot_bits(slot), kind = ck_slot_scale(slot);
    const __m256i ones = _mm256_set1_epi16(1);
    for (int h = 0; h < 2; h++)
        for (size_t b = 0; b < blocks; b++) {
            const uint8_t *quants = group + (first + b) * layout->quant_bytes;
            const uint8_t *scales = group + layout->scales_offset + (first + b) * layout->scale_bytes;
            const uint8_t *super = group + layout->supers_offset + (first + b) / 8 * layout->super_bytes;
            const __m256i(*a)[8] = panel->quants[b];
            __m256 d = load_f16((kind == CK_SCALE_D || kind == CK_SCALE_DM ? scales : super) + 16 * h), min = d;
            __m256i factor = ones, second_factor = ones, pairs = ones, w[8];
            if (kind == CK_SCALE_DM) min = load_f16(scales + 32 + 16 * h);
            if (kind == CK_SCALE_K) {
                __m128i bytes = _mm_loadl_epi64((const __m128i *)(scales + 8 * h));
                factor = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(bytes, bytes));
                bytes = _mm_loadl_epi64((const __m128i *)(scales + 16 + 8 * h));
                min = _mm256_mul_ps(load_f16(super + 32 + 16 * h), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)));
            }
            if (kind == CK_SCALE_K6) {
                pairs = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(scales + 16 * h)));
                factor = _mm256_blend_epi16(pairs, _mm256_slli_epi32(pairs, 16), 0xaa);
                second_factor = _mm256_blend_epi16(_mm256_srli_epi32(pairs, 16), pairs, 0xaa);
                pairs = _mm256_slli_epi16(pairs, ck_slot_shift(slot));
            }
            if (kind == CK_SCALE_K2) {
                __m128i bytes = _mm_load_si128((const __m128i *)(scales + 16 * h));
                const __m128i nibble = _mm_set1_epi8(15);
                pairs = _mm256_cvtepi8_epi16(_mm_and_si128(bytes, nibble));
                factor = _mm256_blend_epi16(pairs, _mm256_slli_epi32(pairs, 16), 0xaa);
                second_factor = _mm256_blend_epi16(_mm256_srli_epi32(pairs, 16), pairs, 0xaa);
                pairs = _mm256_cvtepi8_epi16(_mm_and_si128(_mm_srli_epi16(bytes, 4), nibble));
                min = load_f16(super + 32 + 16 * h);
            }
            unpack(bits, quants, h, w);
#pragma clang loop unroll(disable)
            for (int i = 0; i < CK_PANEL_ROWS; i++) {
                __m256i total;
                if (bits < 4) {
                    total = _mm256_add_epi32(_mm256_madd_epi16(products4(w, a[i]), factor),
                                             _mm256_madd_epi16(products4(w + 4, a[i] + 4), second_factor));
                    if (kind == CK_SCALE_K6)
                        total = _mm256_sub_epi32(total, _mm256_madd_epi16(pairs, panel->halves[b][i]));
                } else if (bits == 4) {
                    total = _mm256_madd_epi16(products8(w, a[i]), factor);
                } else if (bits == 5) {
                    total = _mm256_add_epi32(_mm256_madd_epi16(products4(w, a[i]), factor),
                                             _mm256_madd_epi16(products4(w + 4, a[i] + 4), factor));
                } else {
                    __m256i low = _mm256_add_epi32(_mm256_madd_epi16(products2(w, a[i]), factor),
                                                   _mm256_madd_epi16(products2(w + 2, a[i] + 2), factor));
                    __m256i high = _mm256_add_epi32(_mm256_madd_epi16(products2(w + 4, a[i] + 4), second_factor),
                                                    _mm256_madd_epi16(products2(w + 6, a[i] + 6), second_factor));
                    total = _mm256_sub_epi32(_mm256_add_epi32(low, high),
                                             _mm256_madd_epi16(pairs, panel->halves[b][i]));
                }
                if (ck_slot_offset(slot) != 0) {
                    const __m256i offset = _mm256_set1_epi16((int16_t)ck_slot_offset(slot));
                    total = _mm256_sub_epi32(total, _mm256_madd_epi16(panel->halves[b][i], offset));
                }
                __m256 acc = _mm256_load_ps(sums[i] + 8 * h);
                acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(total), _mm256_mul_ps(d, panel->scales[b][i]), acc);
                if (kind == CK_SCALE_DM) acc = _mm256_fmadd_ps(min, panel->sums[b][i], acc);
                if (kind == CK_SCALE_K) acc = _mm256_fnmadd_ps(min, panel->sums[b][i], acc);
                if (kind == CK_SCALE_K2) {
                    __m256i mins = _mm256_madd_epi16(pairs, panel->halves[b][i]);
                    acc = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(mins), _mm256_mul_ps(min, panel->scales[b][i]), acc);
                }
                _mm256_store_ps(sums[i] + 8 * h, acc);
            }
        }
}

/// Copies CK_PANEL_ROWS rows of 16 or fewer floats.
CK_INLINE void copy_block(size_t columns, const float *from, size_t from_stride, float *to, size_t to_stride) {
    for (size_t i = 0; i < CK_PANEL_ROWS; i++, from += from_stride, to += to_stride) {
        if (columns == 16) memcpy(to, from, 16 * sizeof(float));
        else memcpy(to, from, columns * sizeof(float));
    }
}

/// Whole panels of activations by groups [row_begin / 16, ...); the last group has `last_columns` results.
CK_INLINE void panel_product(const int slot, const ck_layout *layout, const uint8_t *packed, const uint8_t *activations,
                             size_t stride, size_t panels, size_t row_begin, size_t row_end, float *out,
                             size_t out_stride) {
    panel panel;
    _Alignas(32) float sums[CK_PANEL_ROWS][16];
    for (size_t p = 0; p < panels; p++, activations += CK_PANEL_ROWS * stride, out += CK_PANEL_ROWS * out_stride)
        for (size_t first = 0; first < layout->blocks; first += PANEL_BLOCKS) {
            size_t blocks = layout->blocks - first < PANEL_BLOCKS ? layout->blocks - first : PANEL_BLOCKS;
            fill_panel(slot, &panel, activations, stride, layout->blocks, first, blocks);
            for (size_t j = row_begin; j < row_end; j += 16) {
                size_t columns = row_end - j < 16 ? row_end - j : 16;
                if (first == 0) memset(sums, 0, sizeof sums);
                else copy_block(columns, out + j, out_stride, sums[0], 16);
                panel_group(slot, layout, packed + j / 16 * layout->group_bytes, first, blocks, &panel, sums);
                copy_block(columns, sums[0], 16, out + j, out_stride);
            }
        }
}

#define PANEL(SLOT, NAME)                                                                                             \
    static void ck_panel_##NAME##_avx2(const ck_layout *layout, const uint8_t *packed, const uint8_t *activations,    \
                                       size_t stride, size_t panels, size_t row_begin, size_t row_end, float *out,    \
                                       size_t out_stride) {                                                           \
        panel_product(SLOT, layout, packed, activations, stride, panels, row_begin, row_end, out, out_stride);        \
    }
PANEL(CK_SLOT_Q4_0, q4_0)
PANEL(CK_SLOT_Q4_1, q4_1)
PANEL(CK_SLOT_Q5_0, q5_0)
PANEL(CK_SLOT_Q5_1, q5_1)
PANEL(CK_SLOT_Q4_K, q4_k)
PANEL(CK_SLOT_Q5_K, q5_k)
PANEL(CK_SLOT_Q6_K, q6_k)
PANEL(CK_SLOT_Q2_K, q2_k)
PANEL(CK_SLOT_Q3_K, q3_k)

CK_END_TARGET

void ck_fill_avx2_panels(ck_table *table) {
    table->panel[CK_SLOT_Q4_0] = ck_panel_q4_0_avx2;
    table->panel[CK_SLOT_Q4_1] = ck_panel_q4_1_avx2;
    table->panel[CK_SLOT_Q5_0] = ck_panel_q5_0_avx2;
    table->panel[CK_SLOT_Q5_1] = ck_panel_q5_1_avx2;
    table->panel[CK_SLOT_Q4_K] = ck_panel_q4_k_avx2;
    table->panel[CK_SLOT_Q5_K] = ck_panel_q5_k_avx2;
    table->panel[CK_SLOT_Q6_K] = ck_panel_q6_k_avx2;
    table->panel[CK_SLOT_Q2_K] = ck_panel_q2_k_avx2;
    table->panel[CK_SLOT_Q3_K] = ck_panel_q3_k_avx2;
}
#endif
