/* Pictures over their points: quads of a fixed size in pixels, all from one texture, each in a frame of its point's
 * colour. At most a few hundred. */
import { Layer, type DefaultProps, type LayerProps, type UpdateParameters } from '@deck.gl/core';
import type { Buffer, Texture } from '@luma.gl/core';
import { Model } from '@luma.gl/engine';

/** For each sprite: where (3), its part of the texture (4), half its size in pixels (2). */
export const SPRITE_FLOATS = 9;

interface OwnProps {
  sprites: Float32Array;
  frames: Uint8Array;
  atlas: Texture | null;
}

const block = `\
layout(std140) uniform spriteUniforms {
  mat4 matrix;
  vec2 canvas;
} sprite;
`;
const sprite = {
  name: 'sprite',
  vs: block,
  fs: block,
  uniformTypes: { matrix: 'mat4x4<f32>', canvas: 'vec2<f32>' },
} as const;

const vs = `\
#version 300 es
in vec3 anchors;
in vec4 parts;
in vec2 halves;
in vec4 frames;
out vec2 vAt;
out vec2 vHalf;
out vec4 vPart;
out vec3 vFrame;
const float FRAME = 2.0;
void main(void) {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  vHalf = halves;
  vAt = corner * (halves + FRAME);
  vPart = parts;
  vFrame = frames.rgb;
  vec4 at = sprite.matrix * vec4(anchors, 1.0);
  at.xy += vAt / sprite.canvas * 2.0 * at.w;
  gl_Position = at;
}
`;
const fs = `\
#version 300 es
precision highp float;
uniform sampler2D atlas;
in vec2 vAt;
in vec2 vHalf;
in vec4 vPart;
in vec3 vFrame;
out vec4 fragColor;
void main(void) {
  vec2 unit = vec2(vAt.x, -vAt.y) / vHalf * 0.5 + 0.5;
  bool inside = all(greaterThanEqual(unit, vec2(0.0))) && all(lessThanEqual(unit, vec2(1.0)));
  fragColor = inside ? vec4(texture(atlas, vPart.xy + unit * vPart.zw).rgb, 1.0) : vec4(vFrame, 1.0);
}
`;

export class SpritesLayer extends Layer<OwnProps> {
  static override layerName = 'SpritesLayer';
  static override defaultProps: DefaultProps<OwnProps & LayerProps> = {
    sprites: { type: 'object', value: new Float32Array(0), compare: 0 },
    frames: { type: 'object', value: new Uint8Array(0), compare: 0 },
    atlas: { type: 'object', value: null, compare: 0 },
  };
  declare state: { quads?: Model | undefined; places?: Buffer; frames?: Buffer };

  override initializeState(): void {
    this.state = {};
  }

  override updateState({ props, oldProps }: UpdateParameters<this>): void {
    if (
      props.sprites === oldProps.sprites &&
      props.frames === oldProps.frames &&
      props.atlas === oldProps.atlas
    )
      return;
    this.release();
    if (!props.atlas || props.sprites.length === 0) return;
    const { device } = this.context;
    const places = device.createBuffer({ data: props.sprites });
    const frames = device.createBuffer({ data: props.frames });
    this.state.places = places;
    this.state.frames = frames;
    this.state.quads = new Model(device, {
      id: this.props.id,
      vs,
      fs,
      modules: [sprite],
      topology: 'triangle-strip',
      vertexCount: 4,
      isInstanced: true,
      instanceCount: props.sprites.length / SPRITE_FLOATS,
      bufferLayout: [
        {
          name: 'places',
          stepMode: 'instance',
          byteStride: 4 * SPRITE_FLOATS,
          attributes: [
            { attribute: 'anchors', format: 'float32x3', byteOffset: 0 },
            { attribute: 'parts', format: 'float32x4', byteOffset: 12 },
            { attribute: 'halves', format: 'float32x2', byteOffset: 28 },
          ],
        },
        { name: 'frames', stepMode: 'instance', format: 'unorm8x4' },
      ],
      attributes: { places, frames },
      bindings: { atlas: props.atlas },
      parameters: { depthWriteEnabled: false, depthCompare: 'always', blend: false },
    });
  }

  override draw(): void {
    const { quads } = this.state;
    if (!quads) return;
    const { viewport } = this.context;
    quads.shaderInputs.setProps({
      sprite: { matrix: viewport.viewProjectionMatrix, canvas: [viewport.width, viewport.height] },
    });
    quads.draw(this.context.renderPass);
  }

  private release(): void {
    this.state.quads?.destroy();
    this.state.quads = undefined;
    this.state.places?.destroy();
    this.state.frames?.destroy();
  }

  override finalizeState(context: this['context']): void {
    super.finalizeState(context);
    this.release();
  }
}
