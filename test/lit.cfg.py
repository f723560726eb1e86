# lit + FileCheck tests: one folder a dialect, pass group or back end.
import os
import sys
import lit.formats

config.name = "sinter"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.sinter_build_dir, "test", "lit")
config.excludes = ["unit", "e2e", "fixtures", "Inputs"]

tools = os.path.join(config.sinter_build_dir, "bin")
config.environment["PATH"] = os.pathsep.join([tools, config.llvm_tools_dir, os.environ.get("PATH", "")])
config.environment["SINTER_MODELS"] = os.environ.get(
    "SINTER_MODELS", os.path.join(config.sinter_source_dir, "..", "shared", "models"))
config.substitutions.append(("%models", config.environment["SINTER_MODELS"]))
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%examples", os.path.join(config.sinter_source_dir, "examples")))
# Tests on models that are not part of the repository say `REQUIRES: models`; test/run.sh says loudly if they are missing.
if os.path.isdir(config.environment["SINTER_MODELS"]):
    config.available_features.add("models")
