/** \file
 * The C interface of libvipauth: what it takes to guard a ZeroMQ bus, for C and for whatever calls C.
 *
 * Handles are opaque. A function that is given NULL for a handle, or anything else that makes no sense, fails
 * or refuses, and vipauth_last_error() says why. No exception leaves these functions. Text is UTF-8; what
 * comes from a peer is given with its length, and may hold any bytes. Text that is returned belongs to the
 * handle that it was asked of, and stays until that is used again or freed.
 *
 * A service may be used from any thread, a session and a decision by one at a time. Before 1.0.0 functions
 * may be added and changed with each minor version; vipauth_abi() tells. */
#ifndef VIPAUTH_H
#define VIPAUTH_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define VIPAUTH_C_EXPORT __attribute__((visibility("default")))
#else
#define VIPAUTH_C_EXPORT
#endif

/* NOLINTBEGIN(modernize-use-using, readability-identifier-naming): it is C, with C's names. */

#ifdef __cplusplus
extern "C" {
#endif

/** Counts up where a program that was built before may no longer work. */
#define VIPAUTH_ABI 1

VIPAUTH_C_EXPORT unsigned vipauth_abi(void);        /**< VIPAUTH_ABI of the library that was loaded */
VIPAUTH_C_EXPORT const char* vipauth_version(void); /**< "0.1.0" */

/* ---- Errors ---- */

/** Of one closed list; new codes come at the end. See vipauth::ErrorCode. */
typedef enum vipauth_code {
  VIPAUTH_OK = 0,
  VIPAUTH_INVALID_ARGUMENT = 1,
  VIPAUTH_PARSE_ERROR = 2,
  VIPAUTH_UNSUPPORTED = 3,
  VIPAUTH_LIMIT_EXCEEDED = 4,
  VIPAUTH_NOT_FOUND = 5,
  VIPAUTH_ALREADY_EXISTS = 6,
  VIPAUTH_CONFLICT = 7,
  VIPAUTH_BUSY = 8,
  VIPAUTH_PERMISSION_DENIED = 9,
  VIPAUTH_IO_ERROR = 10,
  VIPAUTH_UNAVAILABLE = 11,
  VIPAUTH_OUT_OF_MEMORY = 12,
  VIPAUTH_INTERNAL = 13 /**< a fault of the library or of a callback */
} vipauth_code;

/** Why the last call of this thread that failed did so. */
typedef struct vipauth_error {
  vipauth_code code;
  const char* message;  /**< for a person; never a secret */
  const char* location; /**< "auth.json: /allow/3/credentials", or "" */
} vipauth_error;

/** Never NULL; its text stays until the next call of this thread that fails. */
VIPAUTH_C_EXPORT const vipauth_error* vipauth_last_error(void);

/* ---- Service: the files of a home, and the policy in force ---- */

typedef struct vipauth_service vipauth_service;

typedef enum vipauth_log_level {
  VIPAUTH_LOG_DEBUG = 0,
  VIPAUTH_LOG_INFO = 1,
  VIPAUTH_LOG_WARNING = 2,
  VIPAUTH_LOG_ERROR = 3
} vipauth_log_level;

/** Called from any thread. */
typedef void (*vipauth_log_function)(void* user, vipauth_log_level level, const char* line);

/** Begin with vipauth_options_default(), and change what is to be otherwise. */
typedef struct vipauth_options {
  size_t size; /**< of this struct, as the caller knows it */
  int watch;   /**< follow changes of the files (default 1); else only vipauth_service_reload() does */
  int audit;   /**< write an audit log into the home's folder `audit` (default 0) */
  int trust_same_user_ipc;  /**< let in IPC peers of this user (default 0) */
  int strict_modes;         /**< refuse files that others could have changed (default 1) */
  vipauth_log_function log; /**< may be NULL */
  void* log_user;
} vipauth_options;

VIPAUTH_C_EXPORT vipauth_options vipauth_options_default(void);

/** NULL where the folder cannot be used. A bad file in it is no reason to fail: it refuses, and is logged. */
VIPAUTH_C_EXPORT vipauth_service* vipauth_service_open(const char* home, const vipauth_options* options);
/** Free what was made of it before: the ZAP handler and the sessions. */
VIPAUTH_C_EXPORT void vipauth_service_free(vipauth_service* service);

/** Reads the files again. 1, or 0 where the last good policy stays in force. */
VIPAUTH_C_EXPORT int vipauth_service_reload(vipauth_service* service);
/** Writes what is pending, and what is to be audited, now. 1, or 0. */
VIPAUTH_C_EXPORT int vipauth_service_flush(vipauth_service* service);

/** Called whenever another policy is in force, on the thread that reloads; no lock is held.
 * revoked: the users of whom something is no longer accepted: drop their connections where you can. Their
 * sessions refuse by themselves. */
typedef void (*vipauth_change_function)(void* user, uint64_t generation, const char* const* revoked,
                                        size_t revoked_count);
VIPAUTH_C_EXPORT int vipauth_service_on_change(vipauth_service* service, vipauth_change_function function,
                                               void* user);

/** The server's public key, base64url, made with its secret key on first use; NULL where that failed. */
VIPAUTH_C_EXPORT const char* vipauth_service_server_key(vipauth_service* service);

/* ---- ZeroMQ ---- */

typedef struct vipauth_zap vipauth_zap;

/** The ZAP handler of a libzmq context: start it before any server socket. NULL where there is one already.
 */
VIPAUTH_C_EXPORT vipauth_zap* vipauth_zap_start(void* zmq_context, vipauth_service* service);
VIPAUTH_C_EXPORT void vipauth_zap_free(vipauth_zap* zap);

/** Makes a libzmq socket a CURVE server that fails closed, with the service's keys, before it is bound.
 * domain: not empty. 1, or 0. */
VIPAUTH_C_EXPORT int vipauth_secure_server_socket(void* zmq_socket, vipauth_service* service,
                                                  const char* domain);

/* ---- Sessions: an accepted peer, for as long as it is connected ---- */

typedef struct vipauth_session vipauth_session;

/** The session of the peer that sent a message (zmq_msg_t*). NULL where it came from no peer that
 * vipauth_zap_start()'s handler accepted. */
VIPAUTH_C_EXPORT vipauth_session* vipauth_session_of_message(vipauth_service* service, void* zmq_message);

/** The same where messages can only be asked for their properties (zmq_msg_gets), as those of pyzmq.
 * Returns the property of that name, or NULL; its text stays until the next call. */
typedef const char* (*vipauth_property_function)(void* user, const char* name);
VIPAUTH_C_EXPORT vipauth_session* vipauth_session_of_properties(vipauth_service* service,
                                                                vipauth_property_function property,
                                                                void* user);
VIPAUTH_C_EXPORT void vipauth_session_free(vipauth_session* session);

/** 1 where that peer sent this message too. Ask it for each message of a ROUTER: when a peer goes, another
 * one may take its routing id, and must not take its session with it. */
VIPAUTH_C_EXPORT int vipauth_session_sent_message(const vipauth_session* session, void* zmq_message);
VIPAUTH_C_EXPORT int vipauth_session_sent_properties(const vipauth_session* session,
                                                     vipauth_property_function property, void* user);

VIPAUTH_C_EXPORT const char* vipauth_session_user_id(const vipauth_session* session);
/** The VIP identity that the accepting record gives, or "". */
VIPAUTH_C_EXPORT const char* vipauth_session_identity(const vipauth_session* session);

/* ---- Decisions ---- */

/** What was decided and why: make one, and give it to as many questions as you like. */
typedef struct vipauth_decision vipauth_decision;

VIPAUTH_C_EXPORT vipauth_decision* vipauth_decision_new(void);
VIPAUTH_C_EXPORT void vipauth_decision_free(vipauth_decision* decision);
VIPAUTH_C_EXPORT int vipauth_decision_allowed(const vipauth_decision* decision);
VIPAUTH_C_EXPORT const char* vipauth_decision_reason(const vipauth_decision* decision);  /**< "restricted" */
VIPAUTH_C_EXPORT const char* vipauth_decision_message(const vipauth_decision* decision); /**< for the peer */
/** What decided: JSON Pointers into auth.json ("/allow/3") or protected_topics.json; NULL past the last. */
VIPAUTH_C_EXPORT const char* vipauth_decision_source(const vipauth_decision* decision, size_t index);

/** \name Questions
 * Each of these is 1 where it is allowed, and 0 where it is refused, or could not be asked. `why` may be
 * NULL.
 * @{ */

/** Does the acceptance of the peer still stand? */
VIPAUTH_C_EXPORT int vipauth_check(vipauth_session* session, vipauth_decision* why);
/** May it speak under this VIP identity? Carry nothing from or to a routing id before this has allowed it. */
VIPAUTH_C_EXPORT int vipauth_verify_sender(vipauth_session* session, const char* identity,
                                           size_t identity_bytes, vipauth_decision* why);
/** May it call this method of the agent `callee`? arguments: JSON, as JSON-RPC carries them: an object by
 * name, a list by position; NULL or "" for none. */
VIPAUTH_C_EXPORT int vipauth_authorize_call(vipauth_session* session, const char* callee, size_t callee_bytes,
                                            const char* method, size_t method_bytes, const char* arguments,
                                            size_t arguments_bytes, vipauth_decision* why);
VIPAUTH_C_EXPORT int vipauth_authorize_publish(vipauth_session* session, const char* topic,
                                               size_t topic_bytes, vipauth_decision* why);
VIPAUTH_C_EXPORT int vipauth_authorize_receive(vipauth_session* session, const char* topic,
                                               size_t topic_bytes, vipauth_decision* why);

/** @} */

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-use-using, readability-identifier-naming) */

#endif
