/* The smallest server that vipauth guards, in C: it tells each peer whether it may publish to a topic. */

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include <vipauth.h>

/* A whole message: the name that the peer chose, and a topic. 1 where that is all of it, -1 at the end. */
static int receive(void *router, zmq_msg_t *name, zmq_msg_t *topic) {
  int frames = 1;
  if (zmq_msg_recv(name, router, 0) < 0) return -1;
  for (int more = zmq_msg_more(name); more; more = zmq_msg_more(topic), ++frames) {
    if (zmq_msg_recv(topic, router, 0) < 0) return -1;
  }
  return frames == 2;
}

static int failed(const char *what) {
  fprintf(stderr, "%s: %s\n", what, vipauth_last_error()->message);
  return 1;
}

int main(int argc, char **argv) {
  vipauth_service *service = vipauth_service_open(argc > 1 ? argv[1] : ".", NULL);
  if (!service) return failed("open");
  void *context = zmq_ctx_new();
  vipauth_zap *zap = vipauth_zap_start(context, service); /* before any server socket */
  void *router = zmq_socket(context, ZMQ_ROUTER);
  if (!zap || !vipauth_secure_server_socket(router, service, "vip")) return failed("zap");
  const char *endpoint = argc > 2 ? argv[2] : "tcp://127.0.0.1:22916";
  if (zmq_bind(router, endpoint) != 0) return perror(endpoint), 1;
  char bound[256];
  zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, bound, &(size_t){sizeof bound});
  printf("%s %s\n", bound, vipauth_service_server_key(service));
  fflush(stdout);

  vipauth_decision *why = vipauth_decision_new();
  zmq_msg_t name, topic;
  zmq_msg_init(&name);
  zmq_msg_init(&topic);
  for (int whole; (whole = receive(router, &name, &topic)) >= 0;) {
    vipauth_session *from = whole ? vipauth_session_of_message(service, &topic) : NULL; /* as libzmq knows */
    if (!from) continue;
    const char *answer = "allowed";
    if (!vipauth_verify_sender(from, zmq_msg_data(&name), zmq_msg_size(&name), why) ||
        !vipauth_authorize_publish(from, zmq_msg_data(&topic), zmq_msg_size(&topic), why))
      answer = vipauth_decision_message(why);
    zmq_send(router, zmq_msg_data(&name), zmq_msg_size(&name), ZMQ_SNDMORE);
    zmq_send(router, answer, strlen(answer), 0);
    vipauth_session_free(from);
  }
  vipauth_decision_free(why);
  zmq_close(router);
  vipauth_zap_free(zap);
  zmq_ctx_term(context);
  vipauth_service_free(service);
  return 0;
}
