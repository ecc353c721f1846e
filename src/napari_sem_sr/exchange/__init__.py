"""Models in formats that other programs run: ONNX and BioImage.IO."""
