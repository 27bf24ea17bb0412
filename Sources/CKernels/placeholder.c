// SPDX-License-Identifier: Apache-2.0
#include "CKernels.h"
typedef int ck_translation_unit_is_not_empty;
