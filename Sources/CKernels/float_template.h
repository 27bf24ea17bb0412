// SPDX-License-Identifier: Apache-2.0
//
// Float kernels over a vector type, included once by each variant. The including file defines
//   VF, VW                       vector of VW floats
//   NAME(x)                      the function name with the variant's suffix
//   vf_load vf_store vf_set1 vf_add vf_sub vf_mul vf_div vf_fma(a, b, c) = a b + c
//   vf_max(a, b)                 b where a is not a number
//   vf_sum vf_largest            across the lanes
//   vf_load_f16 vf_store_f16 vf_load_bf16      from and to memory of any alignment
//   vf_exp2_scale(p, n)          p 2^n for whole n in [-126, 127]
//   vf_round                     to the nearest whole number
//   vf_zero_below(p, x, limit)   0 where x < limit, else p
//   vf_equal_bits(a, b)          bit i set where lane i is equal
// under the target attribute of the variant.

// --- Exponential -----------------------------------------------------------------------------------------------------

/// e^x to about 1 unit in the last place; 0 below -87.3, and the value at 88.37 above it.
CK_INLINE VF vf_exp(VF x) {
    // max's second operand wins over NaN, so NaN goes last to stay NaN.
    VF t = vf_sub(vf_set1(0), vf_max(vf_set1(-88.3762626647949f), vf_sub(vf_set1(0), x)));
    t = vf_max(vf_set1(-87.3f), t);
    VF n = vf_round(vf_mul(t, vf_set1(1.44269504088896341f)));
    VF r = vf_fma(n, vf_set1(-0.693359375f), t);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    VF p = vf_set1(1.0f / 5040);
    p = vf_fma(p, r, vf_set1(1.0f / 720));
    p = vf_fma(p, r, vf_set1(1.0f / 120));
    p = vf_fma(p, r, vf_set1(1.0f / 24));
    p = vf_fma(p, r, vf_set1(1.0f / 6));
    p = vf_fma(p, r, vf_set1(0.5f));
    p = vf_fma(p, r, vf_set1(1));
    p = vf_fma(p, r, vf_set1(1));
    return vf_zero_below(vf_exp2_scale(p, n), x, -87.3f);
}

/// Runs STATEMENT for whole vectors, then once more for the rest through padded buffers. In STATEMENT, `i` is the index,
/// LOAD(p) reads a vector at p + i and STORE(p, v) writes one.
#define FOR_VECTORS(COUNT, STATEMENT, TAIL_STATEMENT)                                                                 \
    size_t i = 0;                                                                                                     \
    for (; i + VW <= (COUNT); i += VW) STATEMENT                                                                      \
    if (i < (COUNT)) {                                                                                                \
        size_t rest = (COUNT) - i;                                                                                    \
        TAIL_STATEMENT                                                                                                \
    }

CK_INLINE VF load_part(const float *p, size_t count) {
    float buffer[VW] = {0};
    memcpy(buffer, p, count * sizeof(float));
    return vf_load(buffer);
}

CK_INLINE void store_part(float *p, VF v, size_t count) {
    float buffer[VW];
    vf_store(buffer, v);
    memcpy(p, buffer, count * sizeof(float));
}

// --- Element-wise ----------------------------------------------------------------------------------------------------

static float NAME(ck_dot)(const float *a, const float *b, size_t n) {
    VF sum[4] = {vf_set1(0), vf_set1(0), vf_set1(0), vf_set1(0)};
    size_t i = 0;
    for (; i + 4 * VW <= n; i += 4 * VW)
        for (size_t l = 0; l < 4; l++) sum[l] = vf_fma(vf_load(a + i + l * VW), vf_load(b + i + l * VW), sum[l]);
    for (; i + VW <= n; i += VW) sum[0] = vf_fma(vf_load(a + i), vf_load(b + i), sum[0]);
    if (i < n) sum[1] = vf_fma(load_part(a + i, n - i), load_part(b + i, n - i), sum[1]);
    return vf_sum(vf_add(vf_add(sum[0], sum[1]), vf_add(sum[2], sum[3])));
}

static void NAME(ck_rms_norm)(const float *x, const float *weight, float epsilon, float *out, size_t n) {
    if (n == 0) return;
    VF factor = vf_set1(1 / __builtin_sqrtf(NAME(ck_dot)(x, x, n) / (float)n + epsilon));
    if (weight == NULL) {
        FOR_VECTORS(n, { vf_store(out + i, vf_mul(vf_load(x + i), factor)); },
                    { store_part(out + i, vf_mul(load_part(x + i, rest), factor), rest); })
    } else {
        FOR_VECTORS(n, { vf_store(out + i, vf_mul(vf_mul(vf_load(x + i), factor), vf_load(weight + i))); },
                    { store_part(out + i, vf_mul(vf_mul(load_part(x + i, rest), factor), load_part(weight + i, rest)),
                                 rest); })
    }
}

CK_INLINE float largest_of(const float *x, size_t n) {
    VF top = vf_set1(-__builtin_inff());
    FOR_VECTORS(n, { top = vf_max(vf_load(x + i), top); }, {
        for (size_t l = 0; l < rest; l++) top = vf_max(vf_set1(x[i + l]), top);
    })
    return vf_largest(top);
}

/// Replaces x by e^(x - largest) and returns the sum.
CK_INLINE float exponentiate(float *x, size_t n, float largest) {
    VF total = vf_set1(0), top = vf_set1(largest);
    float part = 0;
    FOR_VECTORS(n, {
        VF e = vf_exp(vf_sub(vf_load(x + i), top));
        vf_store(x + i, e);
        total = vf_add(total, e);
    }, {
        store_part(x + i, vf_exp(vf_sub(load_part(x + i, rest), top)), rest);
        for (size_t l = 0; l < rest; l++) part += x[i + l];
    })
    return vf_sum(total) + part;
}

static void NAME(ck_scale)(float *x, float factor, size_t n) {
    VF f = vf_set1(factor);
    FOR_VECTORS(n, { vf_store(x + i, vf_mul(vf_load(x + i), f)); },
                { store_part(x + i, vf_mul(load_part(x + i, rest), f), rest); })
}

static void NAME(ck_softmax)(float *x, size_t n) {
    if (n == 0) return;
    float total = exponentiate(x, n, largest_of(x, n));
    NAME(ck_scale)(x, 1 / total, n);
}

/// t / (1 + e^-s)
CK_INLINE VF gated(VF t, VF s) {
    return vf_div(t, vf_add(vf_set1(1), vf_exp(vf_sub(vf_set1(0), s))));
}

static void NAME(ck_silu_multiply)(const float *gate, const float *up, float *out, size_t n) {
    FOR_VECTORS(n, {
        VF t = vf_load(gate + i);
        vf_store(out + i, vf_mul(gated(t, t), vf_load(up + i)));
    }, {
        VF t = load_part(gate + i, rest);
        store_part(out + i, vf_mul(gated(t, t), load_part(up + i, rest)), rest);
    })
}

/// t / 2 (1 + tanh(y)) = t / (1 + e^(-2 y))
CK_INLINE VF gelu(VF t) {
    VF cubic = vf_fma(vf_mul(t, t), vf_set1(CK_GELU_CUBIC), vf_set1(1));
    return gated(t, vf_mul(vf_mul(t, vf_set1(2 * CK_GELU_FACTOR)), cubic));
}

static void NAME(ck_gelu_multiply)(const float *gate, const float *up, float *out, size_t n) {
    FOR_VECTORS(n, { vf_store(out + i, vf_mul(gelu(vf_load(gate + i)), vf_load(up + i))); },
                { store_part(out + i, vf_mul(gelu(load_part(gate + i, rest)), load_part(up + i, rest)), rest); })
}

static void NAME(ck_add)(const float *a, const float *b, float *out, size_t n) {
    FOR_VECTORS(n, { vf_store(out + i, vf_add(vf_load(a + i), vf_load(b + i))); },
                { for (; rest > 0; rest--, i++) out[i] = a[i] + b[i]; })
}

static void NAME(ck_axpy)(float a, const float *x, float *y, size_t n) {
    VF f = vf_set1(a);
    FOR_VECTORS(n, { vf_store(y + i, vf_fma(f, vf_load(x + i), vf_load(y + i))); },
                { store_part(y + i, vf_fma(f, load_part(x + i, rest), load_part(y + i, rest)), rest); })
}

static void NAME(ck_f32_to_f16)(const float *source, uint16_t *destination, size_t n) {
    FOR_VECTORS(n, { vf_store_f16(destination + i, vf_load(source + i)); }, {
        uint16_t buffer[VW];
        vf_store_f16(buffer, load_part(source + i, rest));
        memcpy(destination + i, buffer, rest * sizeof(uint16_t));
    })
}

static void NAME(ck_f16_to_f32)(const uint16_t *source, float *destination, size_t n) {
    FOR_VECTORS(n, { vf_store(destination + i, vf_load_f16(source + i)); }, {
        uint16_t buffer[VW] = {0};
        memcpy(buffer, source + i, rest * sizeof(uint16_t));
        store_part(destination + i, vf_load_f16(buffer), rest);
    })
}

static size_t NAME(ck_argmax)(const float *x, size_t n) {
    VF best = vf_set1(largest_of(x, n));
    size_t i = 0;
    for (; i + VW <= n; i += VW) {
        uint32_t equal = vf_equal_bits(vf_load(x + i), best);
        if (equal != 0) return i + (size_t)__builtin_ctz(equal);
    }
    for (float value = vf_largest(best); i < n; i++)
        if (x[i] == value) return i;
    return 0;
}

// --- Products with float weights -------------------------------------------------------------------------------------

CK_INLINE VF load_weights(const ck_format format, const uint8_t *p) {
    return format == CK_F32 ? vf_load((const float *)(const void *)p)
        : format == CK_F16 ? vf_load_f16((const uint16_t *)(const void *)p)
                           : vf_load_bf16((const uint16_t *)(const void *)p);
}

/// rows weight rows by columns activation rows, as dot products.
CK_INLINE void float_tile(const ck_format format, const int rows, const int columns, const uint8_t *weights, size_t k,
                          const float *x, size_t x_stride, float *out, size_t out_stride) {
    const size_t size = format == CK_F32 ? 4 : 2;
    VF acc[4][3];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int c = 0; c < columns; c++) acc[r][c] = vf_set1(0);
    size_t i = 0;
    for (; i + VW <= k; i += VW) {
        VF w[4];
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) w[r] = load_weights(format, weights + ((size_t)r * k + i) * size);
#pragma clang loop unroll(full)
        for (int c = 0; c < columns; c++) {
            VF a = vf_load(x + (size_t)c * x_stride + i);
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) acc[r][c] = vf_fma(w[r], a, acc[r][c]);
        }
    }
    if (i < k) {
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            float buffer[VW] = {0};
            memcpy(buffer, weights + ((size_t)r * k + i) * size, (k - i) * size);
            VF w = load_weights(format, (const uint8_t *)buffer);
#pragma clang loop unroll(full)
            for (int c = 0; c < columns; c++)
                acc[r][c] = vf_fma(w, load_part(x + (size_t)c * x_stride + i, k - i), acc[r][c]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int c = 0; c < columns; c++) out[(size_t)c * out_stride + (size_t)r] = vf_sum(acc[r][c]);
}

CK_INLINE void float_product(const ck_format format, const uint8_t *weights, size_t k, const float *x, size_t x_stride,
                             size_t m, size_t row_begin, size_t row_end, float *out, size_t out_stride) {
    const size_t size = format == CK_F32 ? 4 : 2;
    size_t slab = 128 * 1024 / sizeof(float) / (k + 1) / 3 * 3;  // activations that stay in the second-level cache
    if (slab < 12) slab = 12;
    for (size_t first = 0; first < m; first += slab) {
        size_t end = m - first < slab ? m : first + slab;
        for (size_t j = row_begin; j < row_end;) {
            const uint8_t *w = weights + j * k * size;
            bool four = row_end - j >= 4;
            for (size_t i = first; i < end;) {
                const float *a = x + i * x_stride;
                float *o = out + i * out_stride + j;
                size_t columns = end - i < 3 ? end - i : 3;
                if (four && columns == 3) float_tile(format, 4, 3, w, k, a, x_stride, o, out_stride);
                else if (four && columns == 2) float_tile(format, 4, 2, w, k, a, x_stride, o, out_stride);
                else if (four) float_tile(format, 4, 1, w, k, a, x_stride, o, out_stride);
                else if (columns == 3) float_tile(format, 1, 3, w, k, a, x_stride, o, out_stride);
                else if (columns == 2) float_tile(format, 1, 2, w, k, a, x_stride, o, out_stride);
                else float_tile(format, 1, 1, w, k, a, x_stride, o, out_stride);
                i += columns;
            }
            j += four ? 4 : 1;
        }
    }
}

static void NAME(ck_matmul_float)(ck_format format, const void *weights, size_t k, const float *x, size_t x_stride,
                                  size_t m, size_t row_begin, size_t row_end, float *out, size_t out_stride) {
    switch (format) {
    case CK_F32: float_product(CK_F32, weights, k, x, x_stride, m, row_begin, row_end, out, out_stride); break;
    case CK_F16: float_product(CK_F16, weights, k, x, x_stride, m, row_begin, row_end, out, out_stride); break;
    default: float_product(CK_BF16, weights, k, x, x_stride, m, row_begin, row_end, out, out_stride); break;
    }
}

// --- Attention -------------------------------------------------------------------------------------------------------

CK_INLINE VF load_cache(const bool is_f16, const void *cache, size_t element) {
    return is_f16 ? vf_load_f16((const uint16_t *)cache + element) : vf_load((const float *)cache + element);
}

CK_INLINE float cache_element(const bool is_f16, const void *cache, size_t element) {
    return is_f16 ? ck_float_from_f16(((const uint16_t *)cache)[element]) : ((const float *)cache)[element];
}

CK_INLINE size_t first_key(const ck_attention *a, size_t last) {
    return a->window != 0 && last + 1 > a->window ? last + 1 - a->window : 0;
}

/// Scores of `heads` query rows (stride apart) against the first `count` keys of a block: scores[h][j]; columns up to the
/// next multiple of `vectors` VW are written too. Meanwhile the block's values are called into the cache.
CK_INLINE void dot_scores(const ck_attention *a, const bool is_f16, const int heads, const int vectors, const float *q,
                          size_t stride, size_t begin, size_t count, float (*scores)[CK_KEY_BLOCK]) {
    const size_t size = is_f16 ? 2 : 4;
    const char *value = (const char *)a->v + begin * a->kv_stride * size;
    const char *values_end = value + ((count - 1) * a->kv_stride + a->head_size) * size;
    for (size_t j = 0; j < count; j += (size_t)vectors * VW) {
        VF acc[4][4];
        size_t column[4];
#pragma clang loop unroll(full)
        for (int c = 0; c < vectors; c++) column[c] = ck_key_index(begin + j + (size_t)c * VW, 0, a->head_size);
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++)
#pragma clang loop unroll(full)
            for (int c = 0; c < vectors; c++) acc[h][c] = vf_set1(0);
        for (size_t e = 0; e < a->head_size; e++) {
            VF w[4];
#pragma clang loop unroll(full)
            for (int c = 0; c < vectors; c++)
                w[c] = load_cache(is_f16, a->k, column[c] + e * CK_KEY_PANEL);
            if (value < values_end) {
                __builtin_prefetch(value);
                value += 64;
            }
#pragma clang loop unroll(full)
            for (int h = 0; h < heads; h++) {
                VF x = vf_set1(q[(size_t)h * stride + e]);
#pragma clang loop unroll(full)
                for (int c = 0; c < vectors; c++) acc[h][c] = vf_fma(x, w[c], acc[h][c]);
            }
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++)
#pragma clang loop unroll(full)
            for (int c = 0; c < vectors; c++) vf_store(scores[h] + j + (size_t)c * VW, acc[h][c]);
    }
}

/// sum[h * stride + e] += scores[h][j] * value j for `vectors` VW elements from e on, `from` <= j < `to`, `heads` rows.
CK_INLINE void add_value_columns(const ck_attention *a, const bool is_f16, const int heads, const int vectors,
                                 size_t begin, size_t from, size_t to, float (*scores)[CK_KEY_BLOCK], size_t e,
                                 float *sum, size_t stride) {
    VF acc[4][2];
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++)
#pragma clang loop unroll(full)
        for (int c = 0; c < vectors; c++) acc[h][c] = vf_load(sum + (size_t)h * stride + e + (size_t)c * VW);
    for (size_t j = from; j < to; j++) {
        VF v[2];
#pragma clang loop unroll(full)
        for (int c = 0; c < vectors; c++) v[c] = load_cache(is_f16, a->v, (begin + j) * a->kv_stride + e + (size_t)c * VW);
#pragma clang loop unroll(full)
        for (int h = 0; h < heads; h++) {
            VF weight = vf_set1(scores[h][j]);
#pragma clang loop unroll(full)
            for (int c = 0; c < vectors; c++) acc[h][c] = vf_fma(weight, v[c], acc[h][c]);
        }
    }
#pragma clang loop unroll(full)
    for (int h = 0; h < heads; h++)
#pragma clang loop unroll(full)
        for (int c = 0; c < vectors; c++) vf_store(sum + (size_t)h * stride + e + (size_t)c * VW, acc[h][c]);
}

/// sum[h * stride + e] += scores[h][j] * value j, for `from` <= j < `to` and `heads` rows.
CK_INLINE void add_values(const ck_attention *a, const bool is_f16, const int heads, size_t begin, size_t from,
                          size_t to, float (*scores)[CK_KEY_BLOCK], float *sum, size_t stride) {
    size_t e = 0;
    for (; e + 2 * VW <= a->head_size; e += 2 * VW)
        add_value_columns(a, is_f16, heads, 2, begin, from, to, scores, e, sum, stride);
    for (; e + VW <= a->head_size; e += VW)
        add_value_columns(a, is_f16, heads, 1, begin, from, to, scores, e, sum, stride);
    if (e == a->head_size) return;
    for (size_t j = from; j < to; j++) {
        float rest[VW] = {0};
        for (size_t i = 0; e + i < a->head_size; i++)
            rest[i] = cache_element(is_f16, a->v, (begin + j) * a->kv_stride + e + i);
        VF value = vf_load(rest);
        for (int h = 0; h < heads; h++) {
            float *row = sum + (size_t)h * stride + e;
            vf_store(row, vf_fma(vf_set1(scores[h][j]), value, vf_load(row)));
        }
    }
}

/// cap tanh(x / cap), as cap (2 / (1 + e^(-2 x / cap)) - 1).
CK_INLINE VF capped(VF x, float cap) {
    return vf_mul(vf_sub(gated(vf_set1(2), vf_mul(x, vf_set1(2 / cap))), vf_set1(1)), vf_set1(cap));
}

CK_INLINE void cap_scores(float *x, size_t n, float cap) {
    FOR_VECTORS(n, { vf_store(x + i, capped(vf_load(x + i), cap)); },
                { store_part(x + i, capped(load_part(x + i, rest), cap), rest); })
}

/// Folds a block of `count` scores into a row's running maximum and total; scores become weights, sum is rescaled.
CK_INLINE void fold_scores(float *scores, size_t count, float *largest, float *total, float *sum, size_t size) {
    float top = largest_of(scores, count);
    if (top > *largest) {
        float factor = *total > 0 ? expf(*largest - top) : 0;
        *total *= factor;
        for (size_t e = 0; e < size; e += VW) vf_store(sum + e, vf_mul(vf_load(sum + e), vf_set1(factor)));
        *largest = top;
    }
    *total += exponentiate(scores, count, *largest);
}

/// Few rows: each key and value is read once for all heads of a query.
///
/// Every sum runs in the order of `attend_block`, so that a position's result does not depend on how many were computed
/// together. scratch holds queries, sums and scores.
CK_INLINE void attend_rows(const ck_attention *a, const bool is_f16, const int heads, size_t query, size_t head,
                           float *scratch) {
    const size_t size = a->head_size, stride = (size + 31) / 32 * 32;
    float *q = scratch, *sum = q + 4 * stride;
    float(*scores)[CK_KEY_BLOCK] = (float(*)[CK_KEY_BLOCK])(sum + 4 * stride);
    size_t last = a->first_position + query, first = first_key(a, last);
    float largest[4], total[4] = {0};
    for (int h = 0; h < heads; h++) {
        memcpy(q + (size_t)h * stride, a->q + query * a->q_stride + (head + (size_t)h) * size, size * sizeof(float));
        NAME(ck_scale)(q + (size_t)h * stride, a->scale, size);
        largest[h] = -__builtin_inff();
    }
    memset(sum, 0, (size_t)heads * stride * sizeof(float));
    for (size_t begin = first / CK_KEY_BLOCK * CK_KEY_BLOCK; begin <= last; begin += CK_KEY_BLOCK) {
        size_t from = first > begin ? first - begin : 0;
        size_t to = last + 1 - begin < CK_KEY_BLOCK ? last + 1 - begin : CK_KEY_BLOCK;
        dot_scores(a, is_f16, heads, heads < 3 ? 4 : 2, q, stride, begin, to, scores);
        for (int h = 0; h < heads; h++) {
            if (a->softcap > 0) cap_scores(scores[h] + from, to - from, a->softcap);
            fold_scores(scores[h] + from, to - from, &largest[h], &total[h], sum + (size_t)h * stride, stride);
        }
        add_values(a, is_f16, heads, begin, from, to, scores, sum, stride);
    }
    float *out = a->out + query * a->out_stride + head * size;
    for (int h = 0; h < heads; h++) {
        NAME(ck_scale)(sum + (size_t)h * stride, 1 / total[h], size);
        memcpy(out + (size_t)h * size, sum + (size_t)h * stride, size * sizeof(float));
    }
}

/// c[i][j] (+)= sum over l of a[i][l] b[l][j], for `rows` rows and 2 VW columns.
CK_INLINE void small_product(const int rows, const bool add, const float *a, size_t a_stride, const float *b,
                             size_t b_stride, size_t depth, float *c, size_t c_stride) {
    VF acc[6][2];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        acc[i][0] = add ? vf_load(c + (size_t)i * c_stride) : vf_set1(0);
        acc[i][1] = add ? vf_load(c + (size_t)i * c_stride + VW) : vf_set1(0);
    }
    for (size_t l = 0; l < depth; l++) {
        VF b0 = vf_load(b + l * b_stride), b1 = vf_load(b + l * b_stride + VW);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            VF x = vf_set1(a[(size_t)i * a_stride + l]);
            acc[i][0] = vf_fma(x, b0, acc[i][0]);
            acc[i][1] = vf_fma(x, b1, acc[i][1]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        vf_store(c + (size_t)i * c_stride, acc[i][0]);
        vf_store(c + (size_t)i * c_stride + VW, acc[i][1]);
    }
}

/// The product for any number of rows; columns is a multiple of 2 VW, for which the buffers are padded.
static void NAME(block_product)(bool add, const float *a, size_t a_stride, size_t rows, const float *b, size_t b_stride,
                                size_t depth, size_t columns, float *c, size_t c_stride) {
    for (size_t j = 0; j < columns; j += 2 * VW)
        for (size_t i = 0; i < rows; i += 6) {
            const float *x = a + i * a_stride;
            float *y = c + i * c_stride + j;
            switch (rows - i) {
#define CASE(ROWS)                                                                                                    \
    if (add) small_product(ROWS, true, x, a_stride, b + j, b_stride, depth, y, c_stride);                             \
    else small_product(ROWS, false, x, a_stride, b + j, b_stride, depth, y, c_stride);                                \
    break;
            case 1: CASE(1)
            case 2: CASE(2)
            case 3: CASE(3)
            case 4: CASE(4)
            case 5: CASE(5)
            default: CASE(6)
#undef CASE
            }
        }
}

/// Many rows: blocks of keys and values are expanded once and multiplied by a block of queries.
///
/// scratch holds queries, sums, scores, keys and values, laid out by `ck_attention_scratch_bytes`.
CK_INLINE void attend_block(const ck_attention *a, const bool is_f16, size_t query, size_t queries, size_t head,
                            size_t heads, float *scratch) {
    const size_t size = a->head_size, stride = (size + 31) / 32 * 32, rows = queries * heads;
    float *q = scratch, *sum = q + CK_BLOCK_ROWS * stride, *scores = sum + CK_BLOCK_ROWS * stride;
    float *keys = scores + CK_BLOCK_ROWS * CK_KEY_BLOCK, *values = keys + stride * CK_KEY_BLOCK;
    float largest[CK_BLOCK_ROWS], total[CK_BLOCK_ROWS];
    for (size_t r = 0; r < rows; r++) {
        const float *source = a->q + (query + r / heads) * a->q_stride + (head + r % heads) * size;
        memcpy(q + r * stride, source, size * sizeof(float));
        NAME(ck_scale)(q + r * stride, a->scale, size);
        largest[r] = -__builtin_inff();
        total[r] = 0;
    }
    memset(sum, 0, rows * stride * sizeof(float));
    size_t last = a->first_position + query + queries - 1;
    size_t first = first_key(a, a->first_position + query);
    for (size_t begin = first / CK_KEY_BLOCK * CK_KEY_BLOCK; begin <= last; begin += CK_KEY_BLOCK) {
        size_t count = last + 1 - begin < CK_KEY_BLOCK ? last + 1 - begin : CK_KEY_BLOCK;
        size_t padded = (count + 2 * VW - 1) / (2 * VW) * (2 * VW);
        for (size_t j = 0; j < padded; j += VW) {
            size_t column = ck_key_index(begin + j, 0, size);
            for (size_t e = 0; e < size; e++)
                vf_store(keys + e * CK_KEY_BLOCK + j, load_cache(is_f16, a->k, column + e * CK_KEY_PANEL));
        }
        for (size_t j = 0; j < count; j++) {
            size_t e = 0, row = (begin + j) * a->kv_stride;
            for (; e + VW <= size; e += VW) vf_store(values + j * stride + e, load_cache(is_f16, a->v, row + e));
            for (; e < stride; e++) values[j * stride + e] = e < size ? cache_element(is_f16, a->v, row + e) : 0;
        }
        NAME(block_product)(false, q, stride, rows, keys, CK_KEY_BLOCK, size, padded, scores, CK_KEY_BLOCK);
        for (size_t r = 0; r < rows; r++) {
            size_t position = a->first_position + query + r / heads, lower = first_key(a, position);
            size_t from = lower > begin ? lower - begin : 0, to = position + 1 > begin ? position + 1 - begin : 0;
            if (to > count) to = count;
            float *row = scores + r * CK_KEY_BLOCK;
            if (from >= to) {
                memset(row, 0, count * sizeof(float));
                continue;
            }
            if (a->softcap > 0) cap_scores(row + from, to - from, a->softcap);
            fold_scores(row + from, to - from, &largest[r], &total[r], sum + r * stride, stride);
            if (from > 0) memset(row, 0, from * sizeof(float));
            if (to < count) memset(row + to, 0, (count - to) * sizeof(float));
        }
        NAME(block_product)(true, scores, CK_KEY_BLOCK, rows, values, stride, count, (size + 2 * VW - 1) / (2 * VW) * (2 * VW),
                            sum, stride);
    }
    for (size_t r = 0; r < rows; r++) {
        NAME(ck_scale)(sum + r * stride, 1 / total[r], size);
        memcpy(a->out + (query + r / heads) * a->out_stride + (head + r % heads) * size, sum + r * stride,
               size * sizeof(float));
    }
}

CK_INLINE void attend(const ck_attention *a, const bool is_f16, float *scratch) {
    if (a->queries > 1 && a->queries * a->heads >= 12) {
        for (size_t head = 0; head < a->heads; head += CK_BLOCK_ROWS) {
            size_t heads = a->heads - head < CK_BLOCK_ROWS ? a->heads - head : CK_BLOCK_ROWS;
            size_t most = CK_BLOCK_ROWS / heads;
            for (size_t query = 0; query < a->queries; query += most) {
                size_t queries = a->queries - query < most ? a->queries - query : most;
                attend_block(a, is_f16, query, queries, head, heads, scratch);
            }
        }
        return;
    }
    for (size_t query = 0; query < a->queries; query++)
        for (size_t head = 0; head < a->heads; head += 4) {
            switch (a->heads - head) {
            case 1: attend_rows(a, is_f16, 1, query, head, scratch); break;
            case 2: attend_rows(a, is_f16, 2, query, head, scratch); break;
            case 3: attend_rows(a, is_f16, 3, query, head, scratch); break;
            default: attend_rows(a, is_f16, 4, query, head, scratch); break;
            }
        }
}

static void NAME(ck_attend)(const ck_attention *a, void *scratch) {
    if (a->kv_is_f16) attend(a, true, scratch);
    else attend(a, false, scratch);
}

static void NAME(fill_float)(ck_table *table) {
    table->matmul_float = NAME(ck_matmul_float);
    table->attend = NAME(ck_attend);
    table->rms_norm = NAME(ck_rms_norm);
    table->softmax = NAME(ck_softmax);
    table->silu_multiply = NAME(ck_silu_multiply);
    table->gelu_multiply = NAME(ck_gelu_multiply);
    table->add = NAME(ck_add);
    table->scale = NAME(ck_scale);
    table->axpy = NAME(ck_axpy);
    table->dot = NAME(ck_dot);
    table->f32_to_f16 = NAME(ck_f32_to_f16);
    table->f16_to_f32 = NAME(ck_f16_to_f32);
    table->argmax = NAME(ck_argmax);
}
