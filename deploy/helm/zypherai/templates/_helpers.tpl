{{- define "zypherai.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "zypherai.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "zypherai.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What never changes about a pod of a role: (list . "server") */}}
{{- define "zypherai.selector" -}}
app.kubernetes.io/name: {{ include "zypherai.name" (index . 0) }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "zypherai.labels" -}}
{{ include "zypherai.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{- define "zypherai.secret" -}}
{{- if .Values.engine.existingSecret }}
{{- .Values.engine.existingSecret }}
{{- else }}
{{- if not .Values.engine.url }}
{{- fail "Name the Redis that servers and workers share: set engine.url, or engine.existingSecret." }}
{{- end }}
{{- printf "%s-engine" (include "zypherai.fullname" .) }}
{{- end }}
{{- end }}

{{/* What both kinds of pods have in common; each appends its own. */}}
{{- define "zypherai.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: tmp
    emptyDir: {}
  - name: data
    emptyDir: {}
{{- end }}

{{- define "zypherai.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
ports:
  - name: http
    containerPort: 8080
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: data
    mountPath: /data
livenessProbe:
  httpGet: {path: /healthz/live, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}

{{/* Asks at a path: a server whether it accepts, a worker whether it can run a prediction. */}}
{{- define "zypherai.readiness" -}}
readinessProbe:
  httpGet: {path: {{ . | quote }}, port: http}
  periodSeconds: 3
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{- define "zypherai.environment" -}}
- name: ZYPHER_ENGINE
  valueFrom:
    secretKeyRef:
      name: {{ include "zypherai.secret" . }}
      key: {{ .Values.engine.secretKey }}
- name: ZYPHER_DRAIN_TIMEOUT_S
  value: {{ .Values.drainTimeoutSeconds | quote }}
{{- range $name, $value := .Values.settings }}
- name: ZYPHER_{{ upper $name }}
  value: {{ include "zypherai.written" $value | quote }}
{{- end }}
{{- end }}

{{/* Helm writes a million as 1e+06, which is no whole number to others. */}}
{{- define "zypherai.written" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* Where a role's pods may run: (list . "server" .Values.server) */}}
{{- define "zypherai.placement" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "zypherai.selector" . | nindent 8 }}
{{- with (index . 2).nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 2).tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 2).affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
What makes pods start anew when they need another engine. No hash of its URL, from which a short password could be
guessed: where the chart makes the Secret, each upgrade restarts them.
*/}}
{{- define "zypherai.rollout" -}}
{{- if .Values.engine.existingSecret -}}
engine-secret: {{ printf "%s/%s" .Values.engine.existingSecret .Values.engine.secretKey | quote }}
{{- else -}}
release-revision: {{ .Release.Revision | quote }}
{{- end -}}
{{- end }}
