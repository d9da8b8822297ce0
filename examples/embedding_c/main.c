/* The smallest server that vipauth guards, in C: a ROUTER that tells each peer whether it may publish to a topic. */

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include <vipauth.h>

static int failed(const char *what) {
  fprintf(stderr, "%s: %s\n", what, vipauth_last_error()->message);
  return 1;
}

int main(int argc, char **argv) {
  vipauth_service *service = vipauth_service_open(argc > 1 ? argv[1] : ".", NULL);
  if (!service) return failed("open");
  void *context = zmq_ctx_new();
  vipauth_zap *zap = vipauth_zap_start(context, service); /* before any server socket */
  if (!zap) return failed("zap");
  void *router = zmq_socket(context, ZMQ_ROUTER);
  if (!vipauth_secure_server_socket(router, service, "vip")) return failed("secure");
  if (zmq_bind(router, argc > 2 ? argv[2] : "tcp://127.0.0.1:22916") != 0) return 1;
  char endpoint[256];
  size_t length = sizeof endpoint;
  zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &length);
  printf("%s %s\n", endpoint, vipauth_service_server_key(service));
  fflush(stdout);

  vipauth_decision *why = vipauth_decision_new();
  for (;;) { /* the name that the peer chose, and a topic */
    zmq_msg_t name, topic;
    zmq_msg_init(&name);
    zmq_msg_init(&topic);
    if (zmq_msg_recv(&name, router, 0) < 0) break;
    int more = zmq_msg_more(&name);
    if (more && zmq_msg_recv(&topic, router, 0) < 0) break;
    const int is_whole = more && !zmq_msg_more(&topic);
    for (more = more && zmq_msg_more(&topic); more;) { /* too many frames: drop them all */
      zmq_msg_t rest;
      zmq_msg_init(&rest);
      if (zmq_msg_recv(&rest, router, 0) < 0) break;
      more = zmq_msg_more(&rest);
      zmq_msg_close(&rest);
    }
    /* Who sent it, as libzmq knows. A real bus keeps the session of each peer. */
    vipauth_session *session = is_whole ? vipauth_session_of_message(service, &topic) : NULL;
    if (session) {
      const int allowed = vipauth_verify_sender(session, zmq_msg_data(&name), zmq_msg_size(&name), why) &&
                          vipauth_authorize_publish(session, zmq_msg_data(&topic), zmq_msg_size(&topic), why);
      const char *answer = allowed ? "allowed" : vipauth_decision_message(why);
      zmq_send(router, zmq_msg_data(&name), zmq_msg_size(&name), ZMQ_SNDMORE);
      zmq_send(router, answer, strlen(answer), 0);
      vipauth_session_free(session);
    }
    zmq_msg_close(&name);
    zmq_msg_close(&topic);
  }
  vipauth_decision_free(why);
  zmq_close(router);
  vipauth_zap_free(zap);
  zmq_ctx_term(context);
  vipauth_service_free(service);
  return 0;
}
