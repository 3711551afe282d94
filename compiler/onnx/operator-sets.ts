/** Which operator sets of ai.onnx we read, and from which on each operator has the form that we read. */

export const irVersions = {first: 3, last: 14} as const;
export const operatorSets = {first: 1, last: 28} as const;

/**
 * Every operator of ai.onnx by the operator set that defines the form in force at 6, or its first form if that is later
 * (ONNX 1.23, `onnx.defs.get_all_schemas_with_history()`). Importers read that form and all later ones.
 */
const operators: Readonly<Record<number, string>> = {
  1: `
    And ArgMax ArgMin AveragePool Constant Conv ConvTranspose DepthToSpace Equal Flatten Gather GlobalAveragePool
    GlobalMaxPool Greater Hardmax Identity If LRN LSTM Less LogSoftmax Loop LpNormalization MatMul MaxPool MaxRoiPool Not Or
    Pow RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Shape Size Slice Softmax Softplus Softsign
    SpaceToDepth Squeeze TopK Transpose Unsqueeze Upsample Xor`,
  2: `
    GlobalLpPool LpPool Pad Split`,
  3: `
    GRU`,
  4: `
    Concat`,
  5: `
    Reshape`,
  6: `
    Abs Add BatchNormalization Cast Ceil Clip Div Dropout Elu Exp Floor Gemm HardSigmoid InstanceNormalization LeakyRelu Log
    Max Mean Min Mul Neg PRelu Reciprocal Relu Selu Sigmoid Sqrt Sub Sum Tanh Tile`,
  7: `
    Acos Asin Atan Cos Multinomial Sin Tan`,
  8: `
    Expand Scan`,
  9: `
    Acosh Asinh Atanh Compress ConstantOfShape Cosh Erf EyeLike IsNaN MaxUnpool MeanVarianceNormalization NonZero OneHot
    Scatter Shrink Sign Sinh TfIdfVectorizer Where`,
  10: `
    ConvInteger DequantizeLinear IsInf MatMulInteger Mod NonMaxSuppression QLinearConv QLinearMatMul QuantizeLinear Resize
    ReverseSequence RoiAlign StringNormalizer ThresholdedRelu`,
  11: `
    BitShift ConcatFromSequence CumSum Det DynamicQuantizeLinear GatherElements GatherND Range Round ScatterElements
    ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SplitToSequence Unique`,
  12: `
    Celu Einsum GreaterOrEqual LessOrEqual NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss`,
  14: `
    HardSwish Trilu`,
  15: `
    Bernoulli CastLike Optional OptionalGetElement OptionalHasElement`,
  16: `
    GridSample`,
  17: `
    BlackmanWindow DFT HammingWindow HannWindow LayerNormalization MelWeightMatrix STFT SequenceMap`,
  18: `
    BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im GroupNormalization Mish`,
  19: `
    DeformConv`,
  20: `
    AffineGrid Gelu ImageDecoder RegexFullMatch StringConcat StringSplit`,
  23: `
    Attention RMSNormalization RotaryEmbedding`,
  24: `
    Swish TensorScatter`,
  26: `
    BitCast CumProd`,
  27: `
    CausalConvWithState LinearAttention`,
  28: `
    SwiGLU`,
};

const first: ReadonlyMap<string, number> = new Map(
  Object.entries(operators).flatMap(([version, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map(name => [name, Number(version)] as const),
  ),
);

/** The operator set from which on an operator can be read; undefined for a name that is not of ai.onnx. */
export const firstSetOf = (operator: string): number | undefined => first.get(operator);
