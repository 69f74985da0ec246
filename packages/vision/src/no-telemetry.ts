// Imported before the ONNX runtime, which reads this variable as it loads. Without it the runtime
// gives the machine an id, writes files into the temporary folder and the cache folder of the user,
// and sends its usage to its maker.
process.env.ORT_DISABLE_TELEMETRY ??= '1'
