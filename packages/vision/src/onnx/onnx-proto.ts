// The part of the ONNX schema that graph surgery uses. Every other field survives decode + encode
// as unknown bytes.
import protobuf from 'protobufjs'
import { messageOf } from '@likeness/shared/errors'
import { nameOtherFile } from './name-other-file.ts'

// proto2 on purpose: explicit presence, so an attribute with value 0 is still written.
const schema = `
syntax = "proto2";
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message TensorProto {
  repeated int64 dims = 1;
  optional int32 data_type = 2;
  repeated float float_data = 4 [packed = true];
  repeated int64 int64_data = 7 [packed = true];
  optional string name = 8;
  optional bytes raw_data = 9;
  repeated StringStringEntryProto external_data = 13;
  optional int32 data_location = 14;
}
message AttributeProto {
  optional string name = 1;
  optional float f = 2;
  optional int64 i = 3;
  optional bytes s = 4;
  optional TensorProto t = 5;
  optional GraphProto g = 6;
  repeated float floats = 7;
  repeated int64 ints = 8;
  optional int32 type = 20;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  optional string name = 3;
  optional string op_type = 4;
  repeated AttributeProto attribute = 5;
  optional string domain = 7;
}
message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
message TensorShapeProto { repeated Dimension dim = 1; }
message TensorTypeProto { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
message TypeProto { optional TensorTypeProto tensor_type = 1; }
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1;
  optional string name = 2;
  repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
  repeated ValueInfoProto value_info = 13;
}
message ModelProto {
  optional int64 ir_version = 1;
  optional GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
  repeated StringStringEntryProto metadata_props = 14;
}
`

/** A plain number, or the parser's object for a 64-bit integer. */
export type Int64 = number | { toNumber(): number }

export interface OnnxTensor {
  dims: Int64[]
  dataType: number
  name: string
  floatData?: number[]
  int64Data?: Int64[]
  rawData?: Uint8Array
  /** `location`, `offset` and `length` of values in another file. */
  externalData?: { key: string; value: string }[]
  dataLocation?: number
}

export interface OnnxAttribute {
  name: string
  type: number
  f?: number
  i?: Int64
  s?: Uint8Array
  t?: OnnxTensor
  /** The body of an If, a Loop or a Scan. It may read tensors of the graph around it. */
  g?: OnnxGraph
  floats?: number[]
  ints?: Int64[]
}

export interface OnnxNode {
  input: string[]
  output: string[]
  name?: string
  opType: string
  attribute: OnnxAttribute[]
  domain?: string
}

export interface OnnxDimension {
  dimValue?: Int64
  dimParam?: string
}

export interface OnnxValueInfo {
  name: string
  type?: { tensorType?: { elemType: number; shape?: { dim: OnnxDimension[] } } }
}

export interface OnnxGraph {
  node: OnnxNode[]
  name: string
  initializer: OnnxTensor[]
  input: OnnxValueInfo[]
  output: OnnxValueInfo[]
  valueInfo: OnnxValueInfo[]
}

export interface OnnxModel {
  irVersion: Int64
  graph: OnnxGraph
  opsetImport: { domain?: string; version: Int64 }[]
  metadataProps: { key: string; value: string }[]
}

let modelType: protobuf.Type | undefined

function type(): protobuf.Type {
  modelType ??= protobuf.parse(schema, { keepCase: false }).root.lookupType('ModelProto')
  return modelType
}

/** Value of `dataLocation` of a tensor whose values lie in another file. */
const EXTERNAL = 1

function parse(bytes: Uint8Array): OnnxModel {
  const reader = protobuf.Reader.create(bytes)
  reader.discardUnknown = false
  try {
    return type().decode(reader) as unknown as OnnxModel
  } catch (error) {
    throw new Error(
      `it is of another kind, or cut off (${messageOf(error)}): give the .onnx file that an export has written`,
      { cause: error }
    )
  }
}

/** Parses the bytes of an .onnx file, whose weights may lie in other files. Throws on other bytes. */
export function decodeGraph(bytes: Uint8Array): OnnxModel {
  const other = nameOtherFile(bytes)
  if (other !== undefined) throw new Error(`it is ${other}`)
  const model = parse(bytes)
  if (!model.graph?.node?.length) throw new Error('no graph in it')
  return model
}

/** The same for a file with all its weights. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const model = decodeGraph(bytes)
  if (model.graph.initializer.some(isExternal))
    throw new Error(
      'its weights lie in a second file: export it with all weights in one file (`external_data=False` in torch.onnx.export)'
    )
  return model
}

export const isExternal = ({ dataLocation }: OnnxTensor): boolean => dataLocation === EXTERNAL

/** Bytes of an .onnx file. Fields outside the schema above are written back unchanged. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return type()
    .encode(model as unknown as protobuf.Message)
    .finish()
}
