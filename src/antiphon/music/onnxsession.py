"""Session of onnxruntime in which a network runs, opened in the same way for all of them."""

from pathlib import Path

import onnxruntime


def open_session(
    model: Path, *, threads: int = 1, memory_arena: bool = True, memory_pattern: bool = True, warnings: bool = True
) -> onnxruntime.InferenceSession:
    """A network of an ONNX file, loaded.

    Args:
        model: The file.
        threads: Of one run of the network.
        memory_arena: Whether memory stays with the session from one run to the next.
        memory_pattern: Whether memory is planned by the shapes of the first run.
        warnings: Whether onnxruntime writes its warnings to the log.

    Raises:
        Exception: Whatever onnxruntime raises where the file is missing or no network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = memory_arena
    options.enable_mem_pattern = memory_pattern
    if not warnings:
        options.log_severity_level = 3
    # Spinning threads would take the cores from decoding, encoding and other tasks.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
