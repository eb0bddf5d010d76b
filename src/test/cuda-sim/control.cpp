// How tests speak to the simulated device: the native methods of zerofive.backend.cuda.SimulatedDevice, and for child
// processes the variable ZEROFIVE_SIM, in the syntax of World::configure.
#include <jni.h>
#include <stdio.h>
#include <stdlib.h>

#include "device.h"

using namespace simulated;

namespace {

std::string text_of(JNIEnv* env, jstring text) {
  const char* characters = env->GetStringUTFChars(text, nullptr);
  std::string copy = characters;
  env->ReleaseStringUTFChars(text, characters);
  return copy;
}

jobjectArray array_of(JNIEnv* env, const std::vector<std::string>& texts) {
  jobjectArray array = env->NewObjectArray((jsize)texts.size(), env->FindClass("java/lang/String"), nullptr);
  for (size_t i = 0; i < texts.size(); i++) {
    env->SetObjectArrayElement(array, (jsize)i, env->NewStringUTF(texts[i].c_str()));
  }
  return array;
}

std::string configured(const std::string& text) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  try {
    return world().configure(text);
  } catch (const std::exception&) {
    return "a number is missing in " + text;
  }
}

__attribute__((constructor)) void configure_from_environment() {
  const char* text = getenv("ZEROFIVE_SIM");
  if (text == nullptr) return;
  std::string wrong = configured(text);
  if (wrong.empty()) return;
  fprintf(stderr, "ZEROFIVE_SIM: %s\n", wrong.c_str());
  abort();
}

}  // namespace

#define NATIVE(type) extern "C" JNIEXPORT type JNICALL

NATIVE(void) Java_zerofive_backend_cuda_SimulatedDevice_reset(JNIEnv*, jclass) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  world().reset();
}

NATIVE(void) Java_zerofive_backend_cuda_SimulatedDevice_configure(JNIEnv* env, jclass, jstring text) {
  std::string wrong = configured(text_of(env, text));
  if (!wrong.empty()) env->ThrowNew(env->FindClass("java/lang/IllegalArgumentException"), wrong.c_str());
}

NATIVE(void)
Java_zerofive_backend_cuda_SimulatedDevice_fail(JNIEnv* env, jclass, jstring function, jint call, jint result) {
  std::string name = text_of(env, function);
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  world().fail(name, call, result);
}

NATIVE(jlong) Java_zerofive_backend_cuda_SimulatedDevice_calls(JNIEnv* env, jclass, jstring function) {
  std::string name = text_of(env, function);
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  return world().calls(name);
}

NATIVE(jobjectArray) Java_zerofive_backend_cuda_SimulatedDevice_liveObjectArray(JNIEnv* env, jclass) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  return array_of(env, world().live_objects());
}

NATIVE(jobjectArray) Java_zerofive_backend_cuda_SimulatedDevice_violationArray(JNIEnv* env, jclass) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  return array_of(env, world().violations());
}

NATIVE(jlongArray) Java_zerofive_backend_cuda_SimulatedDevice_costArray(JNIEnv* env, jclass, jstring kernel) {
  std::string name = text_of(env, kernel);
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  const ptx::Cost& cost = world().costs[name];
  const jlong counted[] = {
      (jlong)cost.launches, (jlong)cost.instructions, (jlong)cost.sectors, (jlong)cost.conflicts, (jlong)cost.barriers};
  jlongArray array = env->NewLongArray(5);
  env->SetLongArrayRegion(array, 0, 5, counted);
  return array;
}
