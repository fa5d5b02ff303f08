// What all shaders of a scene in space share. Colours are squared: light is added up in (nearly) linear steps, and
// `encoded` takes the root for the screen.

struct Camera {
    // Of the whole picture.
    view_projection: mat4x4<f32>,
    // Which part of the picture is drawn: factor (xy) and offset (zw) in the picture's unit square.
    part: vec4<f32>,
    // Where the camera is (xyz), and the nearest depth that it sees (w).
    position: vec4<f32>,
    // Across, up and towards the viewer.
    across: vec4<f32>,
    up: vec4<f32>,
    towards: vec4<f32>,
    // Width and height of the whole picture in dots, dots a logical pixel, dots a unit of the scene at a depth of 1.
    dots: vec4<f32>,
    // Depths between which things fade into the ground, how much they do, how far the axes reach.
    haze: vec4<f32>,
    ground: vec4<f32>,
    grid: vec4<f32>,
    shadow: vec4<f32>,
};

@group(0) @binding(0) var<uniform> camera: Camera;

// Where a point of the scene is in the part that is drawn.
fn placed(point: vec3<f32>) -> vec4<f32> {
    return in_part(camera.view_projection * vec4<f32>(point, 1.0));
}

fn in_part(clip: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(clip.xy * camera.part.xy + clip.w * camera.part.zw, clip.zw);
}

// What is further away fades a little into the ground.
fn hazed(colour: vec3<f32>, depth: f32) -> vec3<f32> {
    let far = clamp((depth - camera.haze.x) / (camera.haze.y - camera.haze.x), 0.0, 1.0);
    return mix(colour, camera.ground.rgb, far * camera.haze.z);
}

fn encoded(colour: vec3<f32>) -> vec3<f32> {
    return sqrt(clamp(colour, vec3<f32>(0.0), vec3<f32>(1.0)));
}
