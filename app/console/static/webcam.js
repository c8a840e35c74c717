// A picture from the camera of the computer or phone that the page is looked at with.

import { el } from "./dom.js";

const WIDTH_PX = 640;

export async function webcam(taken) {
  const devices = navigator.mediaDevices; // only there for localhost and https
  if (!devices) throw new Error("This browser gives pictures of its camera only to https pages and to localhost.");
  const media = await devices.getUserMedia({ video: { width: { ideal: WIDTH_PX } } });
  const video = el("video", { autoplay: true, muted: true, playsinline: true, "aria-label": "Your camera" });
  video.muted = true;
  video.srcObject = media;
  const stop = () => {
    for (const track of media.getTracks()) track.stop();
    box.remove();
  };
  const snap = el("button", { type: "button", class: "main", onclick: async () => taken(await still(video)) }, "Take the picture");
  const end = el("button", { type: "button", onclick: stop }, "Camera off");
  const box = el("div", { class: "webcam" }, video, el("div", { class: "actions" }, snap, end));
  return { box, stop };
}

async function still(video) {
  const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const jpeg = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  return new File([jpeg], `camera-${new Date().toISOString().replace(/[:.]/g, "-")}.jpg`, { type: "image/jpeg" });
}
