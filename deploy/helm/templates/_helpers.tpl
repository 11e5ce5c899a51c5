{{- define "mlsync.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that a selector takes: they never change. */}}
{{- define "mlsync.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "mlsync.labels" -}}
{{ include "mlsync.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mlsync.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a service is: its own values over the defaults, as JSON. */}}
{{- define "mlsync.service" -}}
{{- mustMergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (index .root.Values.services .name | default dict)) | toJson -}}
{{- end -}}

{{- define "mlsync.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "mlsync.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "mlsync.migration" -}}
{{- ternary "job" .Values.migration.mode .Values.demo.enabled -}}
{{- end -}}

{{/* Argo CD's order: what the migration needs, the migration, the rest. */}}
{{- define "mlsync.early" -}}
{{- if eq (include "mlsync.migration" .) "argocd" -}}
argocd.argoproj.io/sync-wave: "-2"
{{- end -}}
{{- end -}}

{{/* The demo's password: that given, that kept in the cluster, or a new one; the same throughout a rendering. */}}
{{- define "mlsync.demoPassword" -}}
{{- if not .Values.demo.password -}}
{{- $kept := dig "data" "password" "" (lookup "v1" "Secret" .Release.Namespace (printf "%s-demo" (include "mlsync.fullname" .))) -}}
{{- $_ := set .Values.demo "password" (ternary (b64dec $kept) (randAlphaNum 24) (ne $kept "")) -}}
{{- end -}}
{{- .Values.demo.password -}}
{{- end -}}

{{/* The servers as they are to be used: those of the values, or the demo's. As JSON. No key or password is part of a name:
     logs leave them out wherever they stand. */}}
{{- define "mlsync.servers" -}}
{{- $servers := deepCopy (pick .Values "rabbitmq" "postgresql" "s3") -}}
{{- if .Values.demo.enabled -}}
{{- $name := include "mlsync.fullname" . -}}
{{- $password := include "mlsync.demoPassword" . -}}
{{- $_ := mustMergeOverwrite $servers.rabbitmq (dict "existingSecret" "" "host" (printf "%s-rabbitmq" $name) "port" 5672 "tls" false "vhost" "/" "username" "mlsync" "password" $password "management" (dict "port" 15672 "tls" false)) -}}
{{- $_ := mustMergeOverwrite $servers.postgresql (dict "existingSecret" "" "host" (printf "%s-postgresql" $name) "port" 5432 "database" "mlsync" "username" "mlsync" "password" $password "sslmode" "disable") -}}
{{- $_ := mustMergeOverwrite $servers.s3 (dict "existingSecret" "" "accessKey" "demo-photos" "secretKey" $password "endpoint" (printf "http://%s-s3:9000" $name) "region" "us-east-1" "bucket" "mlsync" "prefix" "" "style" "path") -}}
{{- end -}}
{{- toJson $servers -}}
{{- end -}}

{{/* The feeds as they are to be read: those of the values, and the demo's. As JSON. */}}
{{- define "mlsync.feeds" -}}
{{- $feeds := deepCopy .Values.feeds -}}
{{- if .Values.demo.enabled -}}
{{- $login := printf "http://%s-simulator:8800/Login.svc/Login" (include "mlsync.fullname" .) -}}
{{- $_ := set $feeds "demo" (dict "username" "demo" "password" "simulated-login" "settings" (dict "protocol" "ddf" "login_url" $login "every" .Values.demo.every)) -}}
{{- end -}}
{{- toJson $feeds -}}
{{- end -}}

{{/* Part of an address, so that no character of it has a meaning there. */}}
{{- define "mlsync.escaped" -}}
{{- . | toString | urlquery | replace "+" "%20" -}}
{{- end -}}

{{/* What the chart's own Secret holds of the servers. */}}
{{- define "mlsync.serverSecrets" -}}
{{- $servers := fromJson (include "mlsync.servers" .) -}}
{{- with $servers.rabbitmq }}
{{- if not .existingSecret }}
{{- $user := printf "%s:%s" (include "mlsync.escaped" .username) (include "mlsync.escaped" (required "rabbitmq.password is needed, or rabbitmq.existingSecret, or demo.enabled=true" .password)) }}
{{- $host := required "rabbitmq.host is needed, or rabbitmq.existingSecret, or demo.enabled=true" .host }}
{{- $vhost := include "mlsync.escaped" .vhost }}
brokerUrl: {{ printf "%s://%s@%s:%v/%s" (ternary "amqps" "amqp" .tls) $user $host .port $vhost | quote }}
managementUrl: {{ printf "%s://%s@%s:%v/%s" (ternary "https" "http" .management.tls) $user $host .management.port $vhost | quote }}
{{- end }}
{{- end }}
{{- with $servers.postgresql }}
{{- if not .existingSecret }}
{{- $user := printf "%s:%s" (include "mlsync.escaped" .username) (include "mlsync.escaped" (required "postgresql.password is needed, or postgresql.existingSecret, or demo.enabled=true" .password)) }}
{{- $host := required "postgresql.host is needed, or postgresql.existingSecret, or demo.enabled=true" .host }}
databaseUrl: {{ printf "postgresql://%s@%s:%v/%s?sslmode=%s" $user $host .port (include "mlsync.escaped" .database) .sslmode | quote }}
{{- end }}
{{- end }}
{{- with $servers.s3 }}
{{- if not .existingSecret }}
accessKey: {{ required "s3.accessKey is needed, or s3.existingSecret, or demo.enabled=true" .accessKey | quote }}
secretKey: {{ required "s3.secretKey is needed, or s3.existingSecret, or demo.enabled=true" .secretKey | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where broker, database and bucket are; .secret is the chart's own. */}}
{{- define "mlsync.serverEnv" -}}
{{- $servers := fromJson (include "mlsync.servers" .root) -}}
- name: MLSYNC_BROKER_URL
  valueFrom: {secretKeyRef: {{ toJson (ternary (dict "name" .secret "key" "brokerUrl") (dict "name" $servers.rabbitmq.existingSecret "key" $servers.rabbitmq.urlKey) (empty $servers.rabbitmq.existingSecret)) }}}
- name: MLSYNC_DATABASE_URL
  valueFrom: {secretKeyRef: {{ toJson (ternary (dict "name" .secret "key" "databaseUrl") (dict "name" $servers.postgresql.existingSecret "key" $servers.postgresql.urlKey) (empty $servers.postgresql.existingSecret)) }}}
{{- with $servers.s3 }}
- name: MLSYNC_MEDIA_URL
  value: {{ printf "s3://%s%s?endpoint=%s&region=%s&style=%s" .bucket (ternary (printf "/%s" .prefix) "" (ne .prefix "")) .endpoint .region .style | quote }}
- name: MLSYNC_MEDIA_ACCESS_KEY
  valueFrom: {secretKeyRef: {{ toJson (ternary (dict "name" $.secret "key" "accessKey") (dict "name" .existingSecret "key" .accessKeyKey) (empty .existingSecret)) }}}
- name: MLSYNC_MEDIA_SECRET_KEY
  valueFrom: {secretKeyRef: {{ toJson (ternary (dict "name" $.secret "key" "secretKey") (dict "name" .existingSecret "key" .secretKeyKey) (empty .existingSecret)) }}}
{{- end }}
{{- end -}}

{{/* All of a service's environment. */}}
{{- define "mlsync.env" -}}
{{- $name := include "mlsync.fullname" .root -}}
{{ include "mlsync.serverEnv" (dict "root" .root "secret" $name) }}
- {name: MLSYNC_CONFIG, value: /etc/mlsync/mlsync.yaml}
- {name: MLSYNC_GRACE, value: {{ .root.Values.graceSeconds | quote }}}
{{- with .root.Values.geocoder.existingSecret }}
- name: MLSYNC_GEOCODER__QUERY
  valueFrom: {secretKeyRef: {{ toJson (dict "name" . "key" $.root.Values.geocoder.queryKey) }}}
{{- end }}
{{- range $feed, $values := fromJson (include "mlsync.feeds" .root) }}
{{- $own := empty $values.existingSecret }}
- name: MLSYNC_FEEDS__{{ upper $feed }}__USERNAME
  valueFrom: {secretKeyRef: {{ toJson (ternary (dict "name" $name "key" (printf "feed.%s.username" $feed)) (dict "name" $values.existingSecret "key" ($values.usernameKey | default "username")) $own) }}}
- name: MLSYNC_FEEDS__{{ upper $feed }}__PASSWORD
  valueFrom: {secretKeyRef: {{ toJson (ternary (dict "name" $name "key" (printf "feed.%s.password" $feed)) (dict "name" $values.existingSecret "key" ($values.passwordKey | default "password")) $own) }}}
{{- with $values.proxyKey }}
- name: MLSYNC_FEEDS__{{ upper $feed }}__PROXY
  valueFrom: {secretKeyRef: {{ toJson (dict "name" $values.existingSecret "key" .) }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* What the *restricted* Pod Security Standard asks of a pod. */}}
{{- define "mlsync.podSecurity" -}}
{runAsNonRoot: true, runAsUser: {{ . }}, runAsGroup: {{ . }}, fsGroup: {{ . }}, fsGroupChangePolicy: OnRootMismatch, seccompProfile: {type: RuntimeDefault}}
{{- end -}}

{{/* And of a container. */}}
{{- define "mlsync.security" -}}
{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
{{- end -}}

{{/* How long is waited for the migration, by an init container of every pod. */}}
{{- define "mlsync.waiting" -}}
- name: wait-for-migration
  image: {{ include "mlsync.image" .root }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: [migrate, --wait, {{ .root.Values.migration.timeoutSeconds | quote }}]
  env:
    {{- include "mlsync.serverEnv" (dict "root" .root "secret" (include "mlsync.fullname" .root)) | nindent 4 }}
    {{- with .service.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  resources: {{ toJson .root.Values.migration.resources }}
  securityContext: {{ include "mlsync.security" . }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- with .service.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Most pods an autoscaler may have: where every feed takes photos by GetObject, more than sessions wait for nothing. */}}
{{- define "mlsync.maxReplicas" -}}
{{- $most := int .service.autoscaling.maxReplicas -}}
{{- if eq .name "media" -}}
{{- $sessions := 0 -}}
{{- $free := false -}}
{{- range fromJson (include "mlsync.feeds" .root) -}}
{{- $media := dig "settings" "media" "url" . -}}
{{- if has $media (list "location" "bytes") -}}
{{- $sessions = add $sessions (dig "settings" "sessions" 1 .) -}}
{{- else if eq $media "url" -}}
{{- $free = true -}}
{{- end -}}
{{- end -}}
{{- if and (not $free) (gt (int $sessions) 0) -}}
{{- $most = min $most (max $sessions .service.autoscaling.minReplicas) -}}
{{- end -}}
{{- end -}}
{{- $most -}}
{{- end -}}

{{/* How an autoscaler goes up and down. */}}
{{- define "mlsync.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies: [{type: Pods, value: {{ .scaleUp.pods }}, periodSeconds: {{ .scaleUp.periodSeconds }}}]
scaleDown:
  stabilizationWindowSeconds: {{ .scaleDown.stabilizationWindowSeconds }}
  policies: [{type: Pods, value: {{ .scaleDown.pods }}, periodSeconds: {{ .scaleDown.periodSeconds }}}]
{{- end -}}

{{- define "mlsync.portOf" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) -}}
{{- $port | default (ternary "80" "443" (eq $url.scheme "http")) -}}
{{- end -}}
