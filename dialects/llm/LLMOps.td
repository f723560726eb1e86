//===- LLMOps.td - All of the llm dialect, for TableGen -------------------===//
#ifndef SINTER_DIALECTS_LLM_OPS_TD
#define SINTER_DIALECTS_LLM_OPS_TD

include "dialects/llm/LLMWeightOps.td"
include "dialects/llm/LLMModelOps.td"
include "dialects/llm/LLMLinearOps.td"

#endif
