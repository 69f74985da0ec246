// Each group of operations adds its methods to the addon's exports.
#pragma once

#include "napi/args.h"
#include "napi/job.h"

namespace likeness {

void export_create(napi_env env, napi_value exports);
void export_rows(napi_env env, napi_value exports);
void export_search(napi_env env, napi_value exports);
void export_cached_read(napi_env env, napi_value exports);
void export_files(napi_env env, napi_value exports);
void export_merging(napi_env env, napi_value exports);
void export_linear_algebra(napi_env env, napi_value exports);
void export_inverted(napi_env env, napi_value exports);
void export_resample(napi_env env, napi_value exports);

}  // namespace likeness
