// SPDX-License-Identifier: Apache-2.0
//
// Portable kernels: the reference for every other variant, and the only ones on processors without a variant.
#include "internal.h"
#include <math.h>

// --- Quantized products ----------------------------------------------------------------------------------------------

/// Expands one block of a group: bytes[c][4 r + j] is the quant of row r, column 4 c + j.
CK_INLINE void unpack_block(int slot, const uint8_t *quants, uint8_t bytes[8][64]) {
    const int bits = ck_slot_bits(slot);
    if (bits == 8) {
        memcpy(bytes, quants, 512);
        return;
    }
    if (bits < 4) {
        for (int c = 0; c < 8; c++)
            for (int i = 0; i < 64; i++) {
                bytes[c][i] = quants[64 * (c / 4) + i] >> (c % 4 * 2) & 3;
                if (bits == 3) bytes[c][i] = (uint8_t)(bytes[c][i] | (quants[128 + i] >> c & 1) << 2);
            }
        return;
    }
    for (int p = 0; p < 4; p++)
        for (int i = 0; i < 64; i++) {
            uint8_t low = quants[64 * p + i] & 15, high = quants[64 * p + i] >> 4;
            if (bits == 5) {
                low = (uint8_t)(low | (quants[256 + i] >> p & 1) << 4);
                high = (uint8_t)(high | (quants[256 + i] >> (p + 4) & 1) << 4);
            } else if (bits == 6) {
                low = (uint8_t)(low | (quants[256 + i] >> (2 * p) & 3) << 4);
                high = (uint8_t)(high | (quants[320 + i] >> (2 * p) & 3) << 4);
            }
            bytes[p][i] = ck_slot_is_table(slot) ? (uint8_t)ck_iq4_values[low] : low;
            bytes[p + 4][i] = ck_slot_is_table(slot) ? (uint8_t)ck_iq4_values[high] : high;
        }
}

CK_INLINE void tile(int slot, const ck_layout *layout, const uint8_t *group, const uint8_t *activations, float *out) {
    const float *scales_a = ck_act_scales(activations, layout->blocks);
    const float *sums_a = ck_act_sums(activations, layout->blocks);
    const int16_t *halves_a = ck_act_halves(activations, layout->blocks);
    float acc[16] = {0};
    for (size_t b = 0; b < layout->blocks; b++) {
        uint8_t bytes[8][64];
        unpack_block(slot, group + b * layout->quant_bytes, bytes);
        const int8_t *a = (const int8_t *)activations + b * 32;
        int32_t first[16] = {0}, second[16] = {0};  // columns 0-15 and 16-31
        for (int c = 0; c < 8; c++)
            for (int r = 0; r < 16; r++) {
                int32_t sum = 0;
                for (int j = 0; j < 4; j++) {
                    uint8_t q = bytes[c][4 * r + j];
                    sum += (ck_slot_bits(slot) == 8 || ck_slot_is_table(slot) ? (int8_t)q : q) * a[4 * c + j];
                }
                if (c < 4) first[r] += sum; else second[r] += sum;
            }
        const uint8_t *scales = group + layout->scales_offset + b * layout->scale_bytes;
        const uint16_t *d = (const uint16_t *)scales;
        const uint16_t *super = (const uint16_t *)(group + layout->supers_offset + b / 8 * layout->super_bytes);
        int32_t sum_a = halves_a[2 * b] + halves_a[2 * b + 1];
        for (int r = 0; r < 16; r++) {
            switch (ck_slot_scale(slot)) {
            case CK_SCALE_D:
                acc[r] += ck_float_from_f16(d[r]) * scales_a[b]
                    * (float)(first[r] + second[r] - ck_slot_offset(slot) * sum_a);
                break;
            case CK_SCALE_DM:
                acc[r] += ck_float_from_f16(d[r]) * scales_a[b] * (float)(first[r] + second[r])
                    + ck_float_from_f16(d[16 + r]) * sums_a[b];
                break;
            case CK_SCALE_K:
                acc[r] += ck_float_from_f16(super[r]) * scales_a[b] * (float)(scales[r] * (first[r] + second[r]))
                    - ck_float_from_f16(super[16 + r]) * (float)scales[16 + r] * sums_a[b];
                break;
            case CK_SCALE_K2: {
                int32_t total = (scales[2 * r] & 15) * first[r] + (scales[2 * r + 1] & 15) * second[r];
                int32_t mins = (scales[2 * r] >> 4) * halves_a[2 * b] + (scales[2 * r + 1] >> 4) * halves_a[2 * b + 1];
                acc[r] += ck_float_from_f16(super[r]) * scales_a[b] * (float)total
                    - ck_float_from_f16(super[16 + r]) * scales_a[b] * (float)mins;
                break;
            }
            case CK_SCALE_KS:
                acc[r] += ck_float_from_f16(super[r]) * scales_a[b] * (float)((int8_t)scales[r] * (first[r] + second[r]));
                break;
            default: {
                const int32_t offset = 1 << ck_slot_shift(slot);
                int32_t total = (int8_t)scales[2 * r] * (first[r] - offset * halves_a[2 * b])
                    + (int8_t)scales[2 * r + 1] * (second[r] - offset * halves_a[2 * b + 1]);
                acc[r] += ck_float_from_f16(super[r]) * scales_a[b] * (float)total;
            }
            }
        }
    }
    memcpy(out, acc, sizeof acc);
}

#define TILE(SLOT, NAME)                                                                                              \
    static void NAME(const ck_layout *layout, const uint8_t *group, const uint8_t *activations, size_t stride,        \
                     float *out, size_t out_stride) {                                                                 \
        (void)stride, (void)out_stride;                                                                               \
        tile(SLOT, layout, group, activations, out);                                                                  \
    }
TILE(CK_SLOT_Q4_0, ck_tile_q4_0_scalar)
TILE(CK_SLOT_Q4_1, ck_tile_q4_1_scalar)
TILE(CK_SLOT_Q5_0, ck_tile_q5_0_scalar)
TILE(CK_SLOT_Q5_1, ck_tile_q5_1_scalar)
TILE(CK_SLOT_Q8_0, ck_tile_q8_0_scalar)
TILE(CK_SLOT_Q4_K, ck_tile_q4_k_scalar)
TILE(CK_SLOT_Q5_K, ck_tile_q5_k_scalar)
TILE(CK_SLOT_Q6_K, ck_tile_q6_k_scalar)
TILE(CK_SLOT_Q2_K, ck_tile_q2_k_scalar)
TILE(CK_SLOT_Q3_K, ck_tile_q3_k_scalar)
TILE(CK_SLOT_IQ4_NL, ck_tile_iq4_nl_scalar)
TILE(CK_SLOT_IQ4_XS, ck_tile_iq4_xs_scalar)
#undef TILE

static void ck_quantize_row_scalar(const float *x, size_t k, uint8_t *row) {
    size_t blocks = k / 32;
    int8_t *quants = (int8_t *)row;
    float *scales = (float *)ck_act_scales(row, blocks), *sums = (float *)ck_act_sums(row, blocks);
    int16_t *halves = (int16_t *)ck_act_halves(row, blocks);
    for (size_t b = 0; b < blocks; b++, x += 32, quants += 32) {
        float largest = 0;
        for (int i = 0; i < 32; i++) {
            float magnitude = fabsf(x[i]);
            if (magnitude > largest) largest = magnitude;
        }
        float scale = largest / 127, inverse = largest > CK_SMALLEST_ACTIVATION ? 127 / largest : 0;
        int sum[2] = {0, 0};
        for (int i = 0; i < 32; i++) {
            float scaled = x[i] * inverse;
            // Not-a-number fails both comparisons and becomes the same value as in the vector variants.
            int q = scaled >= -127.5f && scaled <= 127.5f ? (int)lrintf(scaled) : -128;
            quants[i] = (int8_t)q;
            sum[i / 16] += q;
        }
        scales[b] = scale;
        sums[b] = scale * (float)(sum[0] + sum[1]);
        halves[2 * b] = (int16_t)sum[0];
        halves[2 * b + 1] = (int16_t)sum[1];
    }
}

// --- Float products --------------------------------------------------------------------------------------------------

static float ck_dot_scalar(const float *a, const float *b, size_t n) {
    float sum[8] = {0}, rest = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t l = 0; l < 8; l++) sum[l] += a[i + l] * b[i + l];
    for (; i < n; i++) rest += a[i] * b[i];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7])) + rest;
}

static void ck_matmul_float_scalar(ck_format format, const void *weights, size_t k, const float *x, size_t x_stride,
                                   size_t m, size_t row_begin, size_t row_end, float *out, size_t out_stride) {
    size_t bytes = ck_block_bytes(format);
    float segment[256];
    for (size_t j = row_begin; j < row_end; j++) {
        for (size_t i = 0; i < m; i++) out[i * out_stride + j] = 0;
        for (size_t c = 0; c < k; c += 256) {
            size_t count = k - c < 256 ? k - c : 256;
            ck_dequantize_row(format, (const uint8_t *)weights + (j * k + c) * bytes, segment, count);
            for (size_t i = 0; i < m; i++)
                out[i * out_stride + j] += ck_dot_scalar(segment, x + i * x_stride + c, count);
        }
    }
}

// --- Attention -------------------------------------------------------------------------------------------------------

/// Element i of a key or value row.
CK_INLINE float cache_element(const void *cache, bool is_f16, size_t i) {
    return is_f16 ? ck_float_from_f16(((const uint16_t *)cache)[i]) : ((const float *)cache)[i];
}

/// Online softmax, one query at a time: the plain statement of what attention computes.
static void ck_attend_scalar(const ck_attention *a, void *scratch) {
    float *sum = scratch;
    for (size_t i = 0; i < a->queries; i++)
        for (size_t h = 0; h < a->heads; h++) {
            const float *q = a->q + i * a->q_stride + h * a->head_size;
            size_t last = a->first_position + i;
            size_t first = a->window != 0 && last + 1 > a->window ? last + 1 - a->window : 0;
            float largest = -INFINITY, total = 0;
            for (size_t e = 0; e < a->head_size; e++) sum[e] = 0;
            for (size_t j = first; j <= last; j++) {
                float score = 0;
                for (size_t e = 0; e < a->head_size; e++)
                    score += q[e] * cache_element(a->k, a->kv_is_f16, ck_key_index(j, e, a->head_size));
                score *= a->scale;
                if (a->softcap > 0) score = a->softcap * tanhf(score / a->softcap);
                if (score > largest) {
                    float factor = expf(largest - score);
                    total *= factor;
                    for (size_t e = 0; e < a->head_size; e++) sum[e] *= factor;
                    largest = score;
                }
                float weight = expf(score - largest);
                total += weight;
                for (size_t e = 0; e < a->head_size; e++)
                    sum[e] += weight * cache_element(a->v, a->kv_is_f16, j * a->kv_stride + e);
            }
            float *out = a->out + i * a->out_stride + h * a->head_size;
            for (size_t e = 0; e < a->head_size; e++) out[e] = sum[e] / total;
        }
}

// --- Element-wise ----------------------------------------------------------------------------------------------------

static void ck_rms_norm_scalar(const float *x, const float *weight, float epsilon, float *out, size_t n) {
    float factor = 1 / sqrtf(ck_dot_scalar(x, x, n) / (float)n + epsilon);
    for (size_t i = 0; i < n; i++) out[i] = x[i] * factor * (weight ? weight[i] : 1);
}

static void ck_rope_adjacent_scalar(float *x, const float *table, size_t heads, size_t head_size, size_t rotated) {
    for (size_t h = 0; h < heads; h++, x += head_size)
        for (size_t i = 0; i + 1 < rotated; i += 2) {
            float a = x[i], b = x[i + 1];
            x[i] = a * table[i] - b * table[i + 1];
            x[i + 1] = a * table[i + 1] + b * table[i];
        }
}

static void ck_rope_halves_scalar(float *x, const float *table, size_t heads, size_t head_size, size_t rotated) {
    size_t half = rotated / 2;
    for (size_t h = 0; h < heads; h++, x += head_size)
        for (size_t i = 0; i < half; i++) {
            float a = x[i], b = x[i + half];
            x[i] = a * table[2 * i] - b * table[2 * i + 1];
            x[i + half] = a * table[2 * i + 1] + b * table[2 * i];
        }
}

static void ck_softmax_scalar(float *x, size_t n) {
    if (n == 0) return;
    float largest = x[0], total = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > largest) largest = x[i];
    for (size_t i = 0; i < n; i++) total += x[i] = expf(x[i] - largest);
    for (size_t i = 0; i < n; i++) x[i] /= total;
}

static void ck_silu_multiply_scalar(const float *gate, const float *up, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
}

static void ck_gelu_multiply_scalar(const float *gate, const float *up, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float t = gate[i];
        out[i] = 0.5f * t * (1 + tanhf(CK_GELU_FACTOR * t * (1 + CK_GELU_CUBIC * t * t))) * up[i];
    }
}

static void ck_add_scalar(const float *a, const float *b, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
}

static void ck_scale_scalar(float *x, float factor, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}

static void ck_axpy_scalar(float a, const float *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

static void ck_f32_to_f16_scalar(const float *source, uint16_t *destination, size_t n) {
    for (size_t i = 0; i < n; i++) destination[i] = ck_f16_from_float(source[i]);
}

static void ck_f16_to_f32_scalar(const uint16_t *source, float *destination, size_t n) {
    for (size_t i = 0; i < n; i++) destination[i] = ck_float_from_f16(source[i]);
}

static size_t ck_argmax_scalar(const float *x, size_t n) {
    size_t best = 0;
    float largest = -INFINITY;
    bool found = false;
    for (size_t i = 0; i < n; i++)
        if (x[i] > largest || (!found && x[i] == largest)) {
            best = i;
            largest = x[i];
            found = true;
        }
    return best;
}

void ck_fill_scalar(ck_table *table) {
    static const ck_tile_function tiles[CK_SLOTS] = {
        ck_tile_q4_0_scalar, ck_tile_q4_1_scalar, ck_tile_q5_0_scalar, ck_tile_q5_1_scalar,
        ck_tile_q8_0_scalar, ck_tile_q4_k_scalar, ck_tile_q5_k_scalar, ck_tile_q6_k_scalar,
        ck_tile_q2_k_scalar, ck_tile_q3_k_scalar, ck_tile_iq4_nl_scalar, ck_tile_iq4_xs_scalar,
    };
    for (int slot = 0; slot < CK_SLOTS; slot++) {
        table->tile_rows[slot] = 1;
        table->tile[slot][0] = tiles[slot];
    }
    table->quantize_row = ck_quantize_row_scalar;
    table->matmul_float = ck_matmul_float_scalar;
    table->attend = ck_attend_scalar;
    table->rms_norm = ck_rms_norm_scalar;
    table->rope_adjacent = ck_rope_adjacent_scalar;
    table->rope_halves = ck_rope_halves_scalar;
    table->softmax = ck_softmax_scalar;
    table->silu_multiply = ck_silu_multiply_scalar;
    table->gelu_multiply = ck_gelu_multiply_scalar;
    table->add = ck_add_scalar;
    table->scale = ck_scale_scalar;
    table->axpy = ck_axpy_scalar;
    table->dot = ck_dot_scalar;
    table->f32_to_f16 = ck_f32_to_f16_scalar;
    table->f16_to_f32 = ck_f16_to_f32_scalar;
    table->argmax = ck_argmax_scalar;
}
