/* Up to millions of points as one draw call: a vertex each, not an instanced quad, so that a processor that plays
 * graphics card can do it too. The buffers are the arrays as they are; deck.gl's attributes are not used, for they
 * would keep a copy. Points come in an order without meaning, so that the first n of them are a fair sample: that
 * is what is drawn while the view moves on slow machines.
 *
 * The fourth byte of a colour says how a point stands out: 0 is not drawn, 1 dimmed, 2 plain, 3 lit, 4 chosen.
 * Who stands out more lies in front and is larger. */
import { Layer, type DefaultProps, type LayerProps, type UpdateParameters } from '@deck.gl/core';
import type { Buffer } from '@luma.gl/core';
import { Model } from '@luma.gl/engine';

interface OwnProps {
  /** Three values a point. */
  positions: Float32Array;
  colors: Uint8Array;
  /** To be raised when `colors` was written to. */
  version: number;
  /** How many of them, from the first. */
  count: number;
  /** Pixels across. */
  size: number;
  /** Pixels of the device in one of these. */
  ratio: number;
  round: boolean;
  /** Seen from above: depth is who stands out, not where a point lies. */
  flat: boolean;
}
export type PointsLayerProps = OwnProps & LayerProps;

const block = `\
layout(std140) uniform cloudUniforms {
  mat4 matrix;
  float size;
  float level;
} cloud;
`;
const cloud = {
  name: 'cloud',
  vs: block,
  fs: block,
  uniformTypes: { matrix: 'mat4x4<f32>', size: 'f32', level: 'f32' },
} as const;

const vs = `\
#version 300 es
in vec3 positions;
in vec4 colors;
out vec3 vColor;
void main(void) {
  vec4 at = cloud.matrix * vec4(positions, 1.0);
  float rank = floor(colors.a * 255.0 + 0.5);
  float front = max(rank - 2.0, 0.0);
  at.z = mix(at.z - front * 0.2 * at.w, -0.2 * rank * at.w, cloud.level);
  gl_Position = rank < 0.5 ? vec4(0.0, 0.0, 2.0, 1.0) : at;
  gl_PointSize = cloud.size * (rank < 1.5 ? 0.8 : 1.0 + 0.35 * front);
  vColor = colors.rgb;
}
`;
const fs = (round: boolean) => `\
#version 300 es
precision mediump float;
in vec3 vColor;
out vec4 fragColor;
void main(void) {
  float alpha = 1.0;
${
  round
    ? `  float away = length(gl_PointCoord - 0.5);
  float soft = fwidth(away);
  alpha = clamp((0.5 - away) / max(soft, 1e-4) + 0.5, 0.0, 1.0);
  if (alpha < 0.1) discard;`
    : ''
}
  fragColor = vec4(vColor, alpha);
}
`;

export class PointsLayer extends Layer<OwnProps> {
  static override layerName = 'PointsLayer';
  static override defaultProps: DefaultProps<PointsLayerProps> = {
    positions: { type: 'object', value: new Float32Array(0), compare: 0 },
    colors: { type: 'object', value: new Uint8Array(0), compare: 0 },
    version: 0,
    count: 0,
    size: 2,
    ratio: 1,
    round: false,
    flat: true,
  };
  declare state: { points?: Model; positions?: Buffer; colors?: Buffer };

  override initializeState(): void {
    this.state = {};
  }

  override updateState({ props, oldProps }: UpdateParameters<this>): void {
    const { device } = this.context;
    if (props.positions !== oldProps.positions || !this.state.positions) {
      this.state.positions?.destroy();
      this.state.positions = device.createBuffer({ data: props.positions });
      this.state.points?.setAttributes({ positions: this.state.positions });
    }
    if (!this.state.colors || this.state.colors.byteLength !== props.colors.byteLength) {
      this.state.colors?.destroy();
      this.state.colors = device.createBuffer({ data: props.colors });
      this.state.points?.setAttributes({ colors: this.state.colors });
    } else if (props.version !== oldProps.version || props.colors !== oldProps.colors) {
      this.state.colors.write(props.colors);
    }
    if (!this.state.points || props.round !== oldProps.round) {
      this.state.points?.destroy();
      this.state.points = this.makeModel(this.state.positions, this.state.colors);
    }
  }

  private makeModel(positions: Buffer, colors: Buffer): Model {
    return new Model(this.context.device, {
      id: this.props.id,
      vs,
      fs: fs(this.props.round),
      modules: [cloud],
      topology: 'point-list',
      bufferLayout: [
        { name: 'positions', format: 'float32x3' },
        { name: 'colors', format: 'unorm8x4' },
      ],
      attributes: { positions, colors },
      parameters: {
        depthWriteEnabled: true,
        depthCompare: 'less-equal',
        // Only the rims of round points are transparent.
        blend: this.props.round,
        blendColorSrcFactor: 'src-alpha',
        blendColorDstFactor: 'one-minus-src-alpha',
        blendAlphaSrcFactor: 'one',
        blendAlphaDstFactor: 'one-minus-src-alpha',
      },
    });
  }

  override draw(): void {
    const { points: model } = this.state;
    const count = Math.min(this.props.count, this.props.positions.length / 3);
    if (!model || count === 0) return;
    const { viewport } = this.context;
    model.shaderInputs.setProps({
      cloud: {
        matrix: viewport.viewProjectionMatrix,
        size: this.props.size * this.props.ratio,
        level: this.props.flat ? 1 : 0,
      },
    });
    model.setVertexCount(count);
    model.draw(this.context.renderPass);
  }

  override finalizeState(context: this['context']): void {
    super.finalizeState(context);
    this.state.points?.destroy();
    this.state.positions?.destroy();
    this.state.colors?.destroy();
  }
}
